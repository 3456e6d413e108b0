"""The model repository as it is served: the committed one, with the folders and digests of this machine filled in."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from nexus_serving.choice import Elsewhere, Extractive, choice
from nexus_serving.layout import MODEL_REPOSITORY, Layout
from nexus_serving.llama.environment import llama_python
from nexus_serving.llama.files import available_memory, serving
from nexus_serving.llama.folder import OfLanguageModel, bare_model, read_folder

Parameters = dict[str, str]


def write_repository(target: Path, parameters: dict[str, Parameters]) -> None:
    """Copy the committed models named in `parameters` to `target` and add their parameters to their configuration.

    Several servers may read one repository, and one of them start while others load from it: what is wanted is replaced
    in place, and only what is not goes."""
    for stale in [path for path in target.glob("*") if path.name not in parameters]:
        shutil.rmtree(stale, ignore_errors=True)
    for model, values in parameters.items():
        kind = "reader" if model.startswith("reader") else model
        add_model(target, model, values, source=MODEL_REPOSITORY / kind)


def add_model(target: Path, model: str, values: Parameters, *, source: Path) -> None:
    """Copy one committed model to `target` under a name of its own."""
    (target / model / "1").mkdir(parents=True, exist_ok=True)
    shutil.copy2(source / "1" / "model.py", target / model / "1" / "model.py")
    config = (source / "config.pbtxt").read_text().replace(f'name: "{source.name}"', f'name: "{model}"', 1)
    config += "".join(_parameter(*item) for item in values.items()) + _instances(values)
    part = target / model / "config.part"
    part.write_text(config)
    part.replace(target / model / "config.pbtxt")


def model_parameters(layout: Layout, embedder: Path, shipped_reader: Path) -> dict[str, Parameters]:
    """What each model is told: where its files are, and the digest that its clients read. Raises SetUpFailed."""
    about = json.loads((embedder / "embedder.json").read_text())
    served = {"embedder": {"model_folder": str(embedder), "fingerprint": str(about["fingerprint"])}}
    wanted = choice(layout.model)
    if isinstance(wanted, Extractive):
        return {**served, "reader": extractive_parameters(shipped_reader, embedder)}
    served["ranker"] = {"model_folder": str(shipped_reader)}
    if isinstance(wanted, Elsewhere):
        return served
    return {**served, "reader": _generative(layout, bare_model(layout, _digest(shipped_reader)))}


def reader_parameters(folder: Path, layout: Layout, embedder: Path) -> Parameters:
    """What the reader in a folder is told, whichever its engine. Raises SetUpFailed."""
    if (about := read_folder(folder)) is None:
        return extractive_parameters(folder, embedder)
    return _generative(layout, about)


def extractive_parameters(folder: Path, embedder: Path) -> Parameters:
    """What an extractive reader is told."""
    return {
        "engine": "extractive",
        "model_folder": str(folder),
        "embedder_folder": str(embedder),
        "reader_digest": _digest(folder),
    }


def _generative(layout: Layout, about: OfLanguageModel) -> Parameters:
    path = about.base(layout)
    how = serving(path, replace(layout, model_context=about.context), available=available_memory())
    return {
        "engine": "llama.cpp",
        "model_file": how.model,
        **({"adapter_file": str(about.adapter)} if about.adapter else {}),
        "context": str(how.context),
        "slots": str(how.slots),
        "threads": str(how.threads),
        "python": llama_python(layout),
        "reader_digest": about.digest,
    }


def _digest(reader: Path) -> str:
    return str(json.loads((reader / "reader.json").read_text())["digest"])


def _parameter(key: str, value: str) -> str:
    return f"parameters {{ key: {json.dumps(key)} value {{ string_value: {json.dumps(value)} }} }}\n"


def _instances(values: Parameters) -> str:
    """A language model answers many at once by itself. Of the extractive reader two processes take turns: while one
    weighs and words an answer, the other reads. The embedder's configuration says it itself."""
    if "engine" not in values:
        return ""
    return f"instance_group [ {{ count: {1 if values['engine'] == 'llama.cpp' else 2} kind: KIND_CPU }} ]\n"
