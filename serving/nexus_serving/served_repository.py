"""The model repository as it is served: the committed one, with the folders and digests of this machine filled in."""

import json
import shutil
from pathlib import Path

from nexus_serving.layout import MODEL_REPOSITORY


def write_repository(target: Path, parameters: dict[str, dict[str, str]]) -> None:
    """Copy the committed models named in `parameters` to `target` and add their parameters to their configuration."""
    shutil.rmtree(target, ignore_errors=True)
    for model, values in parameters.items():
        source = MODEL_REPOSITORY / model
        (target / model / "1").mkdir(parents=True)
        shutil.copy2(source / "1" / "model.py", target / model / "1" / "model.py")
        config = (source / "config.pbtxt").read_text() + "".join(_parameter(*item) for item in values.items())
        (target / model / "config.pbtxt").write_text(config)


def model_parameters(embedder: Path, reader: Path) -> dict[str, dict[str, str]]:
    """What each model is told: where its files are, and the digest that its clients read."""
    embedder_about = json.loads((embedder / "embedder.json").read_text())
    reader_about = json.loads((reader / "reader.json").read_text())
    return {
        "embedder": {"model_folder": str(embedder), "fingerprint": embedder_about["fingerprint"]},
        "reader": {"model_folder": str(reader), "reader_digest": reader_about["digest"]},
    }


def _parameter(key: str, value: str) -> str:
    return f"parameters {{ key: {json.dumps(key)} value {{ string_value: {json.dumps(value)} }} }}\n"
