"""Writing a BERT encoder as an ONNX graph, straight from its weights.

The graph is written by hand, not traced: it needs neither PyTorch nor transformers at set-up, takes a second, and
uses ONNX Runtime's own operators from the start. In int8 every matrix is quantised per output column, activations
per token as they come, and the word table per row, so that a rare large value costs only its own row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = Mapping[str, NDArray[Any]]

MICROSOFT = "com.microsoft"
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


@dataclass(frozen=True)
class BertShape:
    """The few numbers of a BERT that its weights do not say, and how many of its layers to write."""

    layers: int
    heads: int
    norm_epsilon: float = 1e-12

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "BertShape":
        """From a transformers `config.json`."""
        if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
            raise ValueError("only BERT encoders with exact GELU are supported")
        return cls(config["num_hidden_layers"], config["num_attention_heads"], config["layer_norm_eps"])


class BertGraph:
    """A graph under construction. Each method adds nodes and returns the name of its result."""

    def __init__(self, weights: Weights, shape: BertShape, *, int8: bool, dither: int | None = None) -> None:
        """With `dither`, a seed, int8 weights are rounded by chance; see `quantise_columns`."""
        prefix = "bert." if any(name.startswith("bert.") for name in weights) else ""
        self._weights = weights
        self._prefix = prefix
        self._shape = shape
        self._int8 = int8
        self._random = None if dither is None else np.random.default_rng(dither)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def encoder(self) -> str:
        """The last hidden states, [batch, length, hidden]."""
        state = self._embeddings()
        mask = self.node("Cast", ["attention_mask"], to=TensorProto.INT32)
        for number in range(self._shape.layers):
            state = self._layer(f"encoder.layer.{number}.", state, mask)
        return state

    def mean_pooled_unit(self, state: str) -> str:
        """The mean over real tokens, scaled to length one: a sentence's embedding, [batch, hidden]."""
        mask = self.node("Cast", ["attention_mask"], to=TensorProto.FLOAT)
        mask = self.node("Unsqueeze", [mask, self.constant(np.array([-1]))])
        masked = self.node("Mul", [state, mask])
        # The sum points where the mean points, and the length is scaled away.
        total = self.node("ReduceSum", [masked, self.constant(np.array([1]))], keepdims=0)
        return self.node("LpNormalization", [total], axis=-1, p=2)

    def span_logits(self, state: str) -> str:
        """Start and end scores of each token, [batch, length, 2]; the head is small and stays in full precision."""
        product = self.node("MatMul", [state, self.constant(self._own("qa_outputs.weight").T)])
        return self.node("Add", [product, self.constant(self._own("qa_outputs.bias"))])

    def model(self, result: str, name: str, shape: list[str | int]) -> onnx.ModelProto:
        """The finished model with `result` as its only output."""
        self._nodes.append(helper.make_node("Identity", [result], [name]))
        inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "length"]) for n in INPUTS]
        output = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, "bert", inputs, [output], self._constants)
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="llmops-nexus")

    def node(self, operator: str, inputs: list[str], outputs: int = 1, **attributes: Any) -> str:
        """Add one operator; with several outputs, their names end in `:1`, `:2` after the returned first."""
        first = f"n{len(self._nodes)}"
        names = [first, *(f"{first}:{extra}" for extra in range(1, outputs))]
        self._nodes.append(helper.make_node(operator, inputs, names, name=f"{operator}_{first}", **attributes))
        return first

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant tensor."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def _own(self, name: str) -> NDArray[np.float32]:
        return self._weights[name].astype(np.float32)

    def _weight(self, name: str) -> NDArray[np.float32]:
        return self._own(self._prefix + name)

    def _embeddings(self) -> str:
        words = self._word_rows(self._weight("embeddings.word_embeddings.weight"))
        kinds = self.constant(self._weight("embeddings.token_type_embeddings.weight"))
        summed = self.node("Add", [words, self.node("Gather", [kinds, "token_type_ids"])])
        length = self.node("Shape", ["input_ids"], start=1, end=2)
        places = self.constant(self._weight("embeddings.position_embeddings.weight"))
        first = self.constant(np.array([0]))
        summed = self.node("Add", [summed, self.node("Slice", [places, first, length, first])])
        return self._norm("embeddings.LayerNorm", summed)

    def _word_rows(self, table: NDArray[np.float32]) -> str:
        if not self._int8:
            return self.node("Gather", [self.constant(table), "input_ids"])
        quantised, scales = quantise_columns(table.T, self._random)
        rows = self.node("Gather", [self.constant(quantised.T), "input_ids"])
        rows = self.node("Cast", [rows], to=TensorProto.FLOAT)
        return self.node("Mul", [rows, self.node("Gather", [self.constant(scales[:, None]), "input_ids"])])

    def _layer(self, name: str, state: str, mask: str) -> str:
        attended = self._attention(name + "attention.self.", state, mask)
        projected = self._linear(name + "attention.output.dense", attended)
        state = self._residual_norm(name + "attention.output.LayerNorm", projected, state)
        widened = self.node("Gelu", [self._linear(name + "intermediate.dense", state)], domain=MICROSOFT)
        narrowed = self._linear(name + "output.dense", widened)
        return self._residual_norm(name + "output.LayerNorm", narrowed, state)

    def _attention(self, name: str, state: str, mask: str) -> str:
        parts = [f"{name}{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self._weight(f"{part}.weight").T for part in parts], axis=1)
        bias = np.concatenate([self._weight(f"{part}.bias") for part in parts])
        query = self.node("Split", [self._dense(state, weight, bias)], outputs=3, axis=-1, num_outputs=3)
        inputs = [query, f"{query}:1", f"{query}:2", "", mask]
        return self.node("MultiHeadAttention", inputs, domain=MICROSOFT, num_heads=self._shape.heads)

    def _linear(self, name: str, state: str) -> str:
        return self._dense(state, self._weight(f"{name}.weight").T, self._weight(f"{name}.bias"))

    def _dense(self, state: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        """`state @ weight + bias`; in int8 each token's vector is first scaled to a largest value of one.

        One scale for a whole batch, the usual way, takes precision from most tokens for the sake of the few with
        large values, and makes a text's vector depend on the texts it happens to be batched with.
        """
        shift = self.constant(bias)
        if not self._int8:
            return self.node("Add", [self.node("MatMul", [state, self.constant(weight)]), shift])
        largest = self.node("ReduceMax", [self.node("Abs", [state]), self.constant(np.array([-1]))], keepdims=1)
        scale, middle = self.constant(np.array(1 / 127, np.float32)), self.constant(np.array(128, np.uint8))
        read = self.node("QuantizeLinear", [self.node("Div", [state, largest]), scale, middle])
        quantised, scales = quantise_columns(weight, self._random)
        inputs = [read, self.constant(quantised), scale, self.constant(scales), middle]
        product = self.node("MatMulIntegerToFloat", inputs, domain=MICROSOFT)
        return self.node("Add", [self.node("Mul", [product, largest]), shift])

    def _residual_norm(self, name: str, update: str, state: str) -> str:
        # Two operators on purpose: on a CPU the fused SkipLayerNormalization is eight times slower than these.
        return self._norm(name, self.node("Add", [update, state]))

    def _norm(self, name: str, state: str) -> str:
        scale, shift = (self.constant(self._weight(f"{name}.{part}")) for part in ("weight", "bias"))
        return self.node("LayerNormalization", [state, scale, shift], epsilon=self._shape.norm_epsilon, axis=-1)


INT8_RANGE = 63
"""Weights use seven of the eight bits: without VNNI, a processor adds pairs of products in 16 bits, which saturate."""


def quantise_columns(
    matrix: NDArray[np.float32], random: np.random.Generator | None = None
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 with one scale a column: `matrix ≈ quantised * scales`.

    With `random` each weight is rounded up or down by chance, so that its expected value is right (stochastic rounding;
    Gupta et al. 2015). Weights that were int8 before lie on the grid already: rounded to the nearest, a training that
    moves them by less than half a step would be undone.
    """
    scales = np.abs(matrix).max(axis=0) / INT8_RANGE
    scales = np.where(scales == 0, 1, scales).astype(np.float32)
    steps = matrix / scales
    rounded = np.round(steps) if random is None else np.floor(steps + random.random(steps.shape, np.float32))
    return np.clip(rounded, -INT8_RANGE, INT8_RANGE).astype(np.int8), scales
