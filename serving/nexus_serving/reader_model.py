"""Exporting a trained reader to what is served: int8 ONNX, its tokenizer, and what the engine must know of it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nexus_serving.digests import file_digest, folder_digest
from nexus_serving.engines import ENGINE
from nexus_serving.engines.windows import STRIDE, WINDOW

FILES = ("model.onnx", "tokenizer.json")


@dataclass(frozen=True)
class Calibration:
    """When the engine answers (a score from `threshold` on), and how sure an answer of a score is:
    1 / (1 + exp(-(slope * score + bias)))."""

    threshold: float
    slope: float = 0.5
    bias: float = 0.0


def export_reader(
    source: Path, target: Path, calibration: Calibration, *, int8: bool = True, dither: int | None = None
) -> None:
    """From a transformers folder (`config.json`, `model.safetensors`, `tokenizer.json`) to a folder to serve. `dither`
    is for weights that were int8 before they were trained on (see `quantise_columns`)."""
    # Imported here: launching reads this module's neighbours, and must not wait for onnx.
    import onnx
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    from nexus_serving.bert_graph import BertGraph, BertShape

    shape = BertShape.from_config(json.loads((source / "config.json").read_text()))
    graph = BertGraph(load_file(source / "model.safetensors"), shape, int8=int8, dither=dither)
    model = graph.model(graph.span_logits(graph.encoder()), "logits", ["batch", "length", 2])
    target.mkdir(parents=True, exist_ok=True)
    onnx.save(model, target / "model.onnx")
    # Encoders come with a tokenizer that cuts and pads; whoever reads with ours decides on lengths alone.
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(target / "tokenizer.json"))
    weights = file_digest(source / "model.safetensors")
    about = {"engine": ENGINE, "weights": weights, "int8": int8, "window": WINDOW, "stride": STRIDE}
    write_about(target, {**about, **asdict(calibration)})


def calibration_of(folder: Path) -> Calibration:
    """Of an exported reader."""
    about = json.loads((folder / "reader.json").read_text())
    return Calibration(float(about["threshold"]), float(about["slope"]), float(about["bias"]))


def calibrate(folder: Path, calibration: Calibration) -> None:
    """Give an exported reader another calibration, and with it another digest."""
    about = json.loads((folder / "reader.json").read_text())
    about.pop("digest")
    write_about(folder, {**about, **asdict(calibration)})


def write_about(target: Path, about: dict[str, Any]) -> None:
    """Write `reader.json`; the digest names the weights and the settings that change answers."""
    (target / "reader.json").write_text(json.dumps({**about, "digest": _digest(target, about)}, indent=2) + "\n")


def true_digest(folder: Path) -> str:
    """What an exported reader's digest must be, by its files and settings as they are."""
    about = json.loads((folder / "reader.json").read_text())
    return _digest(folder, {name: value for name, value in about.items() if name != "digest"})


def _digest(folder: Path, about: dict[str, Any]) -> str:
    settings = json.dumps(about, sort_keys=True)
    return hashlib.sha256(f"{folder_digest(folder, FILES)}\n{settings}".encode()).hexdigest()
