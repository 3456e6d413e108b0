"""The reader that a model's parameters name."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from nexus_serving.engines.contract import Delta, ReaderRequest, Result


class Reader(Protocol):
    """An engine."""

    at_once: int
    """Answers that it can give at the same time."""

    def answer(self, request: ReaderRequest, cancelled: Callable[[], bool]) -> Iterator[Delta | Result]:
        """Deltas, then one result; ends early, without one, when cancelled. Raises InvalidRequest, ReaderFailed."""

    def close(self) -> None:
        """Give back what it holds."""


def open_reader(parameters: Mapping[str, str], say: Callable[[str], None]) -> Reader:
    """Load the reader. Raises ReaderFailed when it cannot be loaded."""
    if parameters["engine"] == "llama.cpp":
        from nexus_serving.llama.process import LlamaServer, Serving
        from nexus_serving.llama.reader import GenerativeReader

        context, slots, threads = (int(parameters[name]) for name in ("context", "slots", "threads"))
        serving = Serving(parameters["model_file"], context, slots, threads, parameters.get("adapter_file", ""))
        return GenerativeReader(LlamaServer(parameters["python"], serving, say))
    from nexus_serving.engines.embedder import Embedder
    from nexus_serving.engines.extractive import ExtractiveReader

    return ExtractiveReader(Path(parameters["model_folder"]), Embedder(Path(parameters["embedder_folder"])))
