"""Getting the weights back out of a reader that is served, to train on from them.

What is served is int8; times its scales it is exactly what answers, so a training that starts here starts from the
champion itself, and no second copy of the weights has to be kept.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.numpy import save_file

Matrix = NDArray[np.float32]
Named = Iterator[tuple[str, Matrix]]


class NoReader(Exception):
    """The folder holds no reader that `export_reader` wrote; the message says what is wrong."""


def restore(folder: Path, target: Path) -> None:
    """From a served folder (`model.onnx`, `tokenizer.json`) to a transformers folder of `BertForQuestionAnswering`.

    Raises:
        NoReader: the graph is not one of ours.
    """
    graph = onnx.load(folder / "model.onnx").graph
    try:
        weights = dict(_Reading(graph).weights())
    except (StopIteration, RuntimeError, IndexError, KeyError, ValueError) as error:
        raise NoReader(f"{folder / 'model.onnx'} is no reader that was exported here") from error
    target.mkdir(parents=True, exist_ok=True)
    save_file(weights, target / "model.safetensors", {"format": "pt"})
    shutil.copyfile(folder / "tokenizer.json", target / "tokenizer.json")
    # Last: by it whoever goes on after a crash knows that the folder is whole.
    (target / "config.json").write_text(json.dumps(_config(graph, weights), indent=2) + "\n")


class _Reading:
    """Goes through the graph in the order in which `BertGraph` wrote it."""

    def __init__(self, graph: Any) -> None:
        self._constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self._nodes = list(graph.node)

    def weights(self) -> Named:
        yield from self._embeddings()
        norms, linears = self._norms(), self._linears()
        yield from _norm("bert.embeddings.LayerNorm", next(norms))
        for number in range(sum(node.op_type == "MultiHeadAttention" for node in self._nodes)):
            layer = f"bert.encoder.layer.{number}."
            weight, bias = next(linears)
            for part, rows, shift in zip(
                ("query", "key", "value"), np.split(weight, 3, 1), np.split(bias, 3), strict=True
            ):
                yield from _linear(f"{layer}attention.self.{part}", rows, shift)
            yield from _linear(f"{layer}attention.output.dense", *next(linears))
            yield from _norm(f"{layer}attention.output.LayerNorm", next(norms))
            yield from _linear(f"{layer}intermediate.dense", *next(linears))
            yield from _linear(f"{layer}output.dense", *next(linears))
            yield from _norm(f"{layer}output.LayerNorm", next(norms))
        yield from _linear("qa_outputs", *next(linears))

    def _embeddings(self) -> Named:
        gathers = [node for node in self._nodes if node.op_type == "Gather" and node.input[0] in self._constants]
        words, *rest = [self._constants[node.input[0]] for node in gathers]
        if words.dtype == np.int8:
            scales, *rest = rest
            words = words.astype(np.float32) * scales
        places = next(self._constants[node.input[0]] for node in self._nodes if node.op_type == "Slice")
        yield "bert.embeddings.word_embeddings.weight", words
        yield "bert.embeddings.token_type_embeddings.weight", rest[0]
        yield "bert.embeddings.position_embeddings.weight", places

    def _norms(self) -> Iterator[tuple[Matrix, Matrix]]:
        for node in self._nodes:
            if node.op_type == "LayerNormalization":
                yield self._constants[node.input[1]], self._constants[node.input[2]]

    def _linears(self) -> Iterator[tuple[Matrix, Matrix]]:
        """Each matrix [in, out], and the bias that is added to its product."""
        for place, node in enumerate(self._nodes):
            if node.op_type == "MatMulIntegerToFloat":
                yield (
                    self._constants[node.input[1]].astype(np.float32) * self._constants[node.input[3]],
                    self._bias(place),
                )
            elif node.op_type == "MatMul" and node.input[1] in self._constants:
                yield self._constants[node.input[1]], self._bias(place)

    def _bias(self, place: int) -> Matrix:
        return next(
            self._constants[node.input[1]]
            for node in self._nodes[place:]
            if node.op_type == "Add" and node.input[1] in self._constants
        )


def _linear(name: str, matrix: Matrix, bias: Matrix) -> Named:
    return _named(name, np.ascontiguousarray(matrix.T), bias)


def _norm(name: str, both: tuple[Matrix, Matrix]) -> Named:
    return _named(name, *both)


def _named(name: str, weight: Matrix, bias: Matrix) -> Named:
    yield f"{name}.weight", np.ascontiguousarray(weight, np.float32)
    yield f"{name}.bias", np.ascontiguousarray(bias, np.float32)


def _config(graph: Any, weights: dict[str, Matrix]) -> dict[str, Any]:
    """What transformers must know besides the weights."""
    attentions = [node for node in graph.node if node.op_type == "MultiHeadAttention"]
    norm = next(node for node in graph.node if node.op_type == "LayerNormalization")
    vocabulary, hidden = weights["bert.embeddings.word_embeddings.weight"].shape
    return {
        "architectures": ["BertForQuestionAnswering"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": hidden,
        "intermediate_size": len(weights["bert.encoder.layer.0.intermediate.dense.bias"]),
        "layer_norm_eps": next(one.f for one in norm.attribute if one.name == "epsilon"),
        "max_position_embeddings": len(weights["bert.embeddings.position_embeddings.weight"]),
        "num_attention_heads": next(one.i for one in attentions[0].attribute if one.name == "num_heads"),
        "num_hidden_layers": len(attentions),
        "type_vocab_size": len(weights["bert.embeddings.token_type_embeddings.weight"]),
        "vocab_size": vocabulary,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
