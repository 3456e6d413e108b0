"""The hand-written graph against a plain BERT in numpy."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from nexus_serving.bert_graph import BertGraph, BertShape, quantise_columns

SHAPE = BertShape(layers=2, heads=2)
HIDDEN = 8


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)

    def matrix(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.3, shape).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": matrix(50, HIDDEN),
        "embeddings.position_embeddings.weight": matrix(16, HIDDEN),
        "embeddings.token_type_embeddings.weight": matrix(2, HIDDEN),
    }
    linears = {"embeddings.LayerNorm": None}
    for layer in range(SHAPE.layers):
        name = f"encoder.layer.{layer}."
        linears |= {f"{name}attention.self.{part}": (HIDDEN, HIDDEN) for part in ("query", "key", "value")}
        linears |= {f"{name}attention.output.dense": (HIDDEN, HIDDEN), f"{name}attention.output.LayerNorm": None}
        linears |= {f"{name}intermediate.dense": (16, HIDDEN), f"{name}output.dense": (HIDDEN, 16)}
        linears |= {f"{name}output.LayerNorm": None}
    for name, shape in linears.items():
        made[f"{name}.weight"] = matrix(*shape) if shape else 1 + matrix(HIDDEN)
        made[f"{name}.bias"] = matrix(shape[0] if shape else HIDDEN)
    return made


def norm(x: np.ndarray, w: dict[str, np.ndarray], name: str) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]


def reference(w: dict[str, np.ndarray], ids: np.ndarray) -> np.ndarray:
    """Hidden states of one unpadded row of tokens, all of type 0."""
    from math import erf, sqrt

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], w, "embeddings.LayerNorm")
    for layer in range(SHAPE.layers):
        name = f"encoder.layer.{layer}."
        query, key, value = (
            dense(x, f"{name}attention.self.{part}").reshape(len(ids), SHAPE.heads, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / np.sqrt(HIDDEN / SHAPE.heads)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (shares / shares.sum(-1, keepdims=True)) @ value
        attended = dense(mixed.swapaxes(0, 1).reshape(len(ids), HIDDEN), f"{name}attention.output.dense")
        x = norm(attended + x, w, f"{name}attention.output.LayerNorm")
        wide = dense(x, f"{name}intermediate.dense")
        wide = wide * 0.5 * (1 + np.vectorize(erf)(wide / sqrt(2)))
        x = norm(dense(wide, f"{name}output.dense") + x, w, f"{name}output.LayerNorm")
    return x


def embed(weights: dict[str, np.ndarray], folder: Path, ids: np.ndarray, mask: np.ndarray, *, int8: bool) -> np.ndarray:
    graph = BertGraph(weights, SHAPE, int8=int8)
    onnx.save(graph.model(graph.mean_pooled_unit(graph.encoder()), "embedding", ["batch", HIDDEN]), folder / "m.onnx")
    session = ort.InferenceSession(str(folder / "m.onnx"), providers=["CPUExecutionProvider"])
    return session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})[0]


@pytest.mark.parametrize(("int8", "least"), [(False, 0.99999), (True, 0.99)])
def test_the_graph_computes_a_bert_and_leaves_padding_out(
    weights: dict[str, np.ndarray], tmp_path: Path, int8: bool, least: float
):
    ids = np.array([[3, 7, 11, 2, 9], [4, 8, 0, 0, 0]])
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    vectors = embed(weights, tmp_path, ids, mask, int8=int8)
    for vector, row, length in zip(vectors, ids, (5, 2), strict=True):
        mean = reference(weights, row[:length]).mean(0)
        assert vector @ mean / np.linalg.norm(mean) > least
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_quantised_column_is_close_to_its_source():
    matrix = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32) * [1, 10, 100, 0]
    quantised, scales = quantise_columns(matrix.astype(np.float32))
    assert quantised.dtype == np.int8
    assert np.abs(quantised * scales - matrix).max(0) == pytest.approx([0, 0, 0, 0], abs=3)
    assert (np.abs(quantised * scales - matrix) <= scales).all()


def test_another_kind_of_model_is_refused():
    with pytest.raises(ValueError, match="BERT"):
        BertShape.from_config({"model_type": "llama", "hidden_act": "silu"})
