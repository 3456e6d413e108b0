"""Readers that are served beside the first one: loaded and unloaded while Triton runs, and loaded again when it starts.

The list of them stands in a file of the stack's own state, so that a Triton that is started again serves the same.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from nexus_serving.layout import MODEL_REPOSITORY, Layout, SetUpFailed
from nexus_serving.served_repository import Parameters, add_model, reader_parameters

PREFIX = "reader_"
"""Of the names of such models; the first one is `reader`."""


def wanted(layout: Layout) -> dict[str, Path]:
    """The models that are to be served, with the folders of their readers; without those whose files are gone."""
    if not _list(layout).exists():
        return {}
    kept: dict[str, str] = json.loads(_list(layout).read_text())
    return {model: Path(folder) for model, folder in kept.items() if (Path(folder) / "reader.json").exists()}


def parameters_of_wanted(layout: Layout, embedder: Path, say: Callable[[str], None]) -> dict[str, Parameters]:
    """For Triton's start. One that cannot be served any more, because it was tuned for another language model, is said
    and left out: the first reader must start all the same."""
    made = {}
    for model, folder in wanted(layout).items():
        try:
            made[model] = reader_parameters(folder, layout, embedder)
        except SetUpFailed as failure:
            say(f"{model} is left out: {failure}")
    return made


def add(layout: Layout, model: str, reader: Path, embedder: Path) -> None:
    """Put a reader into the repository that Triton reads, and on the list. Raises SetUpFailed."""
    parameters = reader_parameters(reader, layout, embedder)
    # The list first: by it a server that starts meanwhile knows that the model is not stale.
    _keep(layout, {**wanted(layout), model: reader})
    add_model(layout.served_repository, model, parameters, source=MODEL_REPOSITORY / "reader")


def remove(layout: Layout, model: str) -> None:
    """Take it from the list and from the repository; one that is not there is fine."""
    _keep(layout, {name: folder for name, folder in wanted(layout).items() if name != model})
    shutil.rmtree(layout.served_repository / model, ignore_errors=True)


def _list(layout: Layout) -> Path:
    return layout.state / "triton" / "more-readers.json"


def _keep(layout: Layout, models: dict[str, Path]) -> None:
    path = _list(layout)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps({model: str(folder) for model, folder in models.items()}, indent=1) + "\n")
    part.replace(path)
