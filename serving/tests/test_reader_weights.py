"""Weights come back out of a reader that is served."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from nexus_serving.bert_graph import INT8_RANGE, quantise_columns
from nexus_serving.layout import SHIPPED_READER
from nexus_serving.reader_model import Calibration, export_reader
from nexus_serving.reader_weights import NoReader, restore
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models

HIDDEN, WIDE, WORDS = 8, 16, 30


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A transformers folder of a tiny reader with random weights."""
    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(3)
    weights: dict[str, np.ndarray] = {}

    def linear(name: str, rows: int, columns: int) -> None:
        weights[f"{name}.weight"] = rng.normal(0, 0.3, (rows, columns)).astype(np.float32)
        weights[f"{name}.bias"] = rng.normal(0, 0.3, rows).astype(np.float32)

    def norm(name: str) -> None:
        weights[f"{name}.weight"] = rng.normal(1, 0.1, HIDDEN).astype(np.float32)
        weights[f"{name}.bias"] = rng.normal(0, 0.1, HIDDEN).astype(np.float32)

    for name, rows in (("word", WORDS), ("position", 16), ("token_type", 2)):
        table = rng.normal(0, 0.3, (rows, HIDDEN)).astype(np.float32)
        weights[f"bert.embeddings.{name}_embeddings.weight"] = table
    norm("bert.embeddings.LayerNorm")
    for layer in ("bert.encoder.layer.0", "bert.encoder.layer.1"):
        for part in ("query", "key", "value"):
            linear(f"{layer}.attention.self.{part}", HIDDEN, HIDDEN)
        linear(f"{layer}.attention.output.dense", HIDDEN, HIDDEN)
        linear(f"{layer}.intermediate.dense", WIDE, HIDDEN)
        linear(f"{layer}.output.dense", HIDDEN, WIDE)
        norm(f"{layer}.attention.output.LayerNorm")
        norm(f"{layer}.output.LayerNorm")
    linear("qa_outputs", 2, HIDDEN)
    save_file(weights, folder / "model.safetensors")
    config = {"model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": 2, "num_attention_heads": 2,
              "layer_norm_eps": 1e-12}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    Tokenizer(models.WordLevel({"a": 0}, unk_token="a")).save(str(folder / "tokenizer.json"))
    return folder


def constants(folder: Path) -> dict[str, np.ndarray]:
    return {one.name: numpy_helper.to_array(one) for one in onnx.load(folder / "model.onnx").graph.initializer}


def test_in_full_precision_they_are_the_very_same(trained, tmp_path):
    export_reader(trained, tmp_path / "served", Calibration(0.0), int8=False)
    restore(tmp_path / "served", tmp_path / "back")
    before, after = (load_file(folder / "model.safetensors") for folder in (trained, tmp_path / "back"))
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_in_int8_each_is_within_half_a_step(trained, tmp_path):
    export_reader(trained, tmp_path / "served", Calibration(0.0))
    restore(tmp_path / "served", tmp_path / "back")
    before, after = (load_file(folder / "model.safetensors") for folder in (trained, tmp_path / "back"))
    for name in before:
        assert np.abs(before[name] - after[name]).max() <= 0.51 * np.abs(before[name]).max() / INT8_RANGE, name


@pytest.mark.parametrize("dither", [None, 1])
def test_the_shipped_reader_comes_out_and_goes_back_unchanged(tmp_path, dither):
    restore(SHIPPED_READER, tmp_path / "back")
    export_reader(tmp_path / "back", tmp_path / "served", Calibration(0.0), dither=dither)
    before, after = constants(SHIPPED_READER), constants(tmp_path / "served")
    changed = sum(int((before[name] != after[name]).sum()) for name in before)
    assert changed <= (0 if dither is None else 1000)  # of 22 million: a chance of one in a million each, by rounding
    config = json.loads((tmp_path / "back" / "config.json").read_text())
    assert (config["num_hidden_layers"], config["hidden_size"], config["vocab_size"]) == (6, 384, 30522)


def test_what_moves_by_less_than_a_step_survives_only_by_chance():
    """Rounded to the nearest nothing is left of it; by chance it is there in the mean."""
    on_grid, scales = quantise_columns(np.random.default_rng(1).normal(0, 0.3, (2000, 4)).astype(np.float32))
    on_grid[0] = INT8_RANGE  # keeps the scale
    moved = (on_grid + 0.2 * (np.abs(on_grid) < INT8_RANGE)) * scales
    nearest, _ = quantise_columns(moved.astype(np.float32))
    by_chance, _ = quantise_columns(moved.astype(np.float32), np.random.default_rng(2))
    assert (nearest - on_grid).mean() == 0
    assert (by_chance.astype(float) - on_grid).mean() == pytest.approx(0.2, abs=0.03)


def test_another_graph_is_refused(tmp_path):
    graph = onnx.helper.make_graph([], "other", [], [])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "model.onnx")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(NoReader, match="no reader that was exported here"):
        restore(tmp_path, tmp_path / "back")


def test_what_broke_off_does_not_look_whole(tmp_path):
    """By `config.json` a training knows that it need not begin again."""
    shutil.copyfile(SHIPPED_READER / "model.onnx", tmp_path / "model.onnx")
    with pytest.raises(FileNotFoundError):
        restore(tmp_path, tmp_path / "back")
    assert not (tmp_path / "back" / "config.json").exists()
