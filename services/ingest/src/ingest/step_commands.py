"""The commands of a workflow that ingests: load, embed, write, remove.

Their exit codes say what the caller may do: 0 done, or nothing to do; 65 the document is a dead letter now; 75 try it
again later; anything else is a mistake of whoever calls.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import unquote_plus

import numpy as np
import typer
from opskit.database import DATABASE_AWAY
from opskit.errors import Unavailable
from opskit.logging import configure_logging
from opskit.settings import read_settings
from pydantic import TypeAdapter, ValidationError

from ingest.keys import DocumentName, name_of
from ingest.pipeline import Outcome
from ingest.ports import Vectors
from ingest.settings import Settings
from ingest.steps import Busy, HandedOver, Steps

MISTAKE: Final = 1
DEAD_LETTER: Final = os.EX_DATAERR
TRY_AGAIN: Final = os.EX_TEMPFAIL
HANDED_OVER: Final = "handed-over"
"""What `--state-to` says when the next step has something to do."""
_TO_BE_TRIED_AGAIN: Final = ("waiting", "retrying")
_FORMAT: Final = TypeAdapter(HandedOver)

Object = Annotated[str, typer.Option("--object", help="The object's name: <tenant>/<knowledge base>/<key>.")]
Encoded = Annotated[bool, typer.Option("--encoded", help="The name is URL-encoded, as in the store's events.")]
Document = Annotated[Path, typer.Option("--in", help="What load-document wrote.", exists=True, dir_okay=False)]
Out = Annotated[Path, typer.Option("--out", help="What to write for the next step.")]
StateFile = Annotated[
    Path | None,
    typer.Option(help=f"Write here how it went; `{HANDED_OVER}`: the next step has something to do."),
]


def add_step_commands(cli: typer.Typer) -> None:
    """The commands, in their order."""
    for command in (load_document, create_vectors, ingest_vectors, remove_document):
        cli.command(rich_help_panel="Steps of a workflow")(command)


def load_document(name: Object, out: Out, encoded: Encoded = False, state_to: StateFile = None) -> None:
    """Read one document of the store, and cut it into chunks."""
    with _steps() as steps:
        if (document := _document(name, encoded=encoded)) is not None:
            done = steps.load(document)
            if isinstance(done, HandedOver):
                out.write_bytes(_FORMAT.dump_json(done))
            _finish(name, done, state_to)
        else:
            _finish(name, "nothing", state_to)


def create_vectors(document: Document, out: Out, state_to: StateFile = None) -> None:
    """Embed its chunks; those that were embedded before cost nothing."""
    handed = _read(document)
    with _steps() as steps:
        done = steps.embed(handed)
        if isinstance(done, np.ndarray):
            with out.open("wb") as file:
                np.save(file, done, allow_pickle=False)
        _finish(handed.claim.name.path, done, state_to)


def ingest_vectors(
    document: Document,
    vectors: Annotated[Path, typer.Option(help="What create-vectors wrote.", exists=True, dir_okay=False)],
    state_to: StateFile = None,
) -> None:
    """Make it searchable in place of the version before."""
    handed = _read(document)
    with _steps() as steps:
        _finish(handed.claim.name.path, steps.write(handed, _vectors(vectors)), state_to)


def remove_document(name: Object, encoded: Encoded = False, state_to: StateFile = None) -> None:
    """Take a document that is gone from the store out of the index; one that is there again is indexed."""
    document = _document(name, encoded=encoded)
    with _steps() as steps:
        _finish(name, "nothing" if document is None else steps.settle(document), state_to)


@contextmanager
def _steps() -> Iterator[Steps]:
    """What the steps work with, by the settings. What is away is worth another try."""
    from ingest.worker import open_worker

    settings = read_settings(Settings)
    configure_logging("ingest", level=settings.log_level, json=settings.log_json)
    worker = open_worker(settings)
    try:
        yield worker.steps
    except (Unavailable, *DATABASE_AWAY) as exc:
        raise _failure(exc, TRY_AGAIN) from exc
    finally:
        worker.close()


def _finish(name: str, done: HandedOver | Vectors | Outcome | Busy, file: Path | None) -> None:
    """Say how it went, in words and as exit code."""
    if isinstance(done, Busy):
        raise _failure(f"{name}: somebody else is at it, or it has to wait", TRY_AGAIN)
    state = done if isinstance(done, str) else HANDED_OVER
    if state in _TO_BE_TRIED_AGAIN:
        raise _failure(f"{name}: {state}", TRY_AGAIN)
    if file is not None:
        file.write_text(state, encoding="utf-8")
    if state == "failed":
        raise _failure(f"{name} is a dead letter now", DEAD_LETTER)
    typer.echo(f"{name}: {state}")


def _document(name: str, *, encoded: bool) -> DocumentName | None:
    """The document an object is; None for one that is no document, such as a hidden file."""
    return name_of(unquote_plus(name) if encoded else name)


def _read(file: Path) -> HandedOver:
    try:
        return _FORMAT.validate_json(file.read_bytes())
    except ValidationError as exc:
        raise _failure(f"{file} was not written by load-document: {exc.error_count()} errors", MISTAKE) from exc


def _vectors(file: Path) -> Vectors:
    try:
        vectors: Vectors = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as exc:
        raise _failure(f"{file} was not written by create-vectors: {exc}", MISTAKE) from exc
    return vectors


def _failure(why: object, code: int) -> typer.Exit:
    typer.echo(f"ingest: {why}", err=True)
    return typer.Exit(code)
