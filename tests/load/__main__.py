"""Measure a stack of its own, and print every figure beside its goal.

    make bench                                 all of it, about ten minutes
    python -m tests.load documents answers     some of it

The documents and questions are those of a corpus folder (default: the development corpus; see tests/evaluation for the
shape). The figures mean something on a machine that does nothing else: its load is written down with them.
"""

import argparse
import os
import platform as machine_platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from tests.e2e.clients import Nexus
from tests.e2e.stack import Stack, start_stack
from tests.evaluation.__main__ import DEV, ROOT
from tests.evaluation.corpus import Corpus, load_corpus, load_questions
from tests.load import answering, ingesting, searching, starting
from tests.load.figures import Figure, show, write

GROUPS = ("documents", "answers", "search", "stack")
_BUSY_PERCENT = 15.0


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    if not asked.questions.exists():
        console.print(f"There is no {asked.questions}: name a corpus with --corpus and --questions", style="red")
        return 2
    corpus = load_corpus(asked.corpus)
    questions = [question.text for question in load_questions(asked.questions)]
    machine = _machine()
    if machine["busy_percent_before"] > _BUSY_PERCENT:
        console.print(
            f"The machine is busy ({machine['busy_percent_before']} %): figures will be too high.", style="red"
        )
    figures: list[Figure] = []
    with _stack() as stack, Nexus(stack.url, stack.key, base="bench", timeout=120.0) as nexus:
        for figure in _measured(stack, nexus, corpus, questions, asked.groups or GROUPS):
            console.print(f"{figure.group:10} {figure.name}: {figure.value:,.4g} {figure.unit}")
            figures.append(figure)
    show(figures, console)
    write(figures, machine, asked.out)
    console.print(f"Written to {asked.out}")
    return 0


def _measured(
    stack: Stack, nexus: Nexus, corpus: Corpus, questions: Sequence[str], groups: Sequence[str]
) -> Iterator[Figure]:
    if "documents" in groups:
        yield from ingesting.measure(nexus, corpus, stack.part_url("ingest-worker"))
    elif {"answers", "search"} & set(groups):
        ingesting.platform.ingest(nexus, corpus)
    if "answers" in groups:
        yield from answering.measure(nexus, questions)
    if "search" in groups:
        yield from searching.measure(nexus, questions, stack.env["NEXUS_MILVUS_URL"])
    if "stack" in groups:
        yield from starting.memory(stack)
        yield from starting.restart(stack)


@contextmanager
def _stack() -> Iterator[Stack]:
    """A stack with a state folder of its own, stopped at the end."""
    yield from start_stack()


def _machine() -> Mapping[str, Any]:
    return {
        "processor": machine_platform.processor() or machine_platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": machine_platform.platform(),
        "python": machine_platform.python_version(),
        "busy_percent_before": psutil.cpu_percent(interval=2.0),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("groups", nargs="*", choices=[[], *GROUPS], help="what to measure (default: all)")
    parser.add_argument("--corpus", type=Path, default=DEV, help="folder of documents (default: %(default)s)")
    parser.add_argument("--questions", type=Path, default=DEV / "questions.jsonl", help="JSON lines with questions")
    parser.add_argument("--out", type=Path, default=ROOT / "bench-results" / "bench.json", help="the JSON file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
