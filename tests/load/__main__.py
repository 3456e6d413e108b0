"""Measure every figure of the platform's speed, and print each beside its goal.

    make bench                                          all of it on a stack of its own, about ten minutes
    python -m tests.load documents answers              some of it
    python -m tests.load --env .nexus/env search        on a stack that runs: in knowledge bases of its own, emptied
                                                        afterwards; it is not restarted, and what it has embedded
                                                        before costs nothing, so `documents` looks better there

documents  how long until documents are searchable and in answers, and what is embedded for it
answers    first word, whole answer, eight clients; below them Triton's models by gRPC
search     /v1/search at 10,000 chunks, alone and while documents are written; below it rag, Milvus, an empty request
improving  scoring an answer, swapping releases under questions, rolling back, an alert's run (own stack alone)
stack      memory, `make up` on a warm machine, `make up` again

The documents and questions are those of a corpus folder (default: the development corpus; see tests/evaluation for the
shape), or a small corpus made up here where there is none. The figures mean something on a machine that does nothing
else: what others used of it meanwhile is measured, warned of, and written down with them.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console

from tests.e2e.clients import Nexus
from tests.e2e.stack import Stack, running_stack, start_stack
from tests.evaluation import platform
from tests.evaluation.__main__ import DEV, ROOT
from tests.evaluation.corpus import Corpus, load_corpus, load_questions
from tests.load import answering, improving, ingesting, machine, made, searching, starting
from tests.load.figures import Figure, show, write

GROUPS = ("documents", "answers", "search", "improving", "stack")
_BUSY = 0.1
"""Others using more of the processors than this makes latencies doubtful."""


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    if asked.env and not asked.env.exists():
        console.print(f"There is no {asked.env}: start a stack with make up, or leave --env out", style="red")
        return 2
    corpus, questions, name = _material(asked.corpus, asked.questions)
    console.print(f"{len(corpus.documents)} documents and {len(questions)} questions: {name}")
    figures: list[Figure] = []
    groups = asked.groups or GROUPS
    with _stack(asked.env) as stack, _knowledge_base(stack) as nexus:
        load, bystanders = os.getloadavg(), machine.Bystanders(stack)
        for figure in _measured(stack, nexus, corpus, questions, groups, asked.chunks):
            console.print(f"{figure.group:10} {figure.name}: {figure.value:,.4g} {figure.unit}")
            figures.append(figure)
        others = bystanders.share()
    show(figures, console)
    if others > _BUSY:
        console.print(f"Others used {others:.0%} of the processors meanwhile: figures may be too high.", style="red")
    conditions = _conditions(name, load, others, own=asked.env is None)
    write(figures, {**machine.description(), **conditions}, asked.out)
    console.print(f"Written to {asked.out}")
    return 0


def _measured(
    stack: Stack, nexus: Nexus, corpus: Corpus, questions: Sequence[str], groups: Sequence[str], chunks: int
) -> Iterator[Figure]:
    triton_grpc = f"127.0.0.1:{stack.port('triton-grpc')}"
    if "documents" in groups:
        yield from ingesting.measure(nexus, corpus, stack.part_url("ingest-worker"))
    elif {"answers", "search", "improving"} & set(groups):
        platform.ingest(nexus, corpus)
    if "answers" in groups:
        yield from answering.measure(nexus, questions, triton_grpc)
    if "search" in groups:
        yield from searching.measure(
            nexus,
            questions,
            chunks=chunks,
            milvus_url=stack.env["NEXUS_MILVUS_URL"],
            rag_url=stack.env["NEXUS_RAG_URL"],
            triton_grpc=triton_grpc,
        )
    if "improving" in groups and stack.state is not None:
        yield from improving.measure(stack, nexus, questions)
    if "stack" in groups:
        yield from starting.memory(stack)
        if stack.state is not None:
            yield from starting.restart(stack)


def _material(folder: Path, questions: Path) -> tuple[Corpus, list[str], str]:
    """Documents, questions, and what they are."""
    if not folder.is_dir() or not questions.exists():
        return made.corpus(), made.questions(), f"a small corpus made up here, because there is no {folder}"
    return load_corpus(folder), [question.text for question in load_questions(questions)], folder.name


@contextmanager
def _stack(env_file: Path | None) -> Iterator[Stack]:
    """The stack that runs, or one with a state folder of its own, stopped at the end."""
    if env_file is not None:
        yield running_stack(env_file)
        return
    yield from start_stack()


@contextmanager
def _knowledge_base(stack: Stack) -> Iterator[Nexus]:
    """A new one, emptied at the end where the stack lives on."""
    with Nexus(stack.url, stack.key, base=f"bench-{uuid4().hex[:8]}", timeout=120.0) as nexus:
        try:
            yield nexus
        finally:
            if stack.state is None:
                for base in (nexus.base, f"{nexus.base}{searching.WRITTEN_SUFFIX}"):
                    _empty(nexus.within(base))


def _empty(nexus: Nexus) -> None:
    with nexus:
        for key, status in platform.statuses(nexus).items():
            if status != "deleted":
                nexus.delete(key)


def _conditions(corpus: str, load: tuple[float, float, float], others: float, *, own: bool) -> Mapping[str, Any]:
    return {
        "corpus": corpus,
        "own_stack": own,
        "load_average_before": [round(one, 2) for one in load],
        "load_average_after": [round(one, 2) for one in os.getloadavg()],
        "processors_used_by_others": round(others, 3),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "groups", nargs="*", choices=[[], *GROUPS], metavar="GROUP", help="what to measure (default: all)"
    )
    parser.add_argument("--env", type=Path, help="env file of a stack that runs (default: a stack of its own)")
    parser.add_argument("--corpus", type=Path, default=DEV, help="folder of documents (default: %(default)s)")
    parser.add_argument("--questions", type=Path, default=DEV / "questions.jsonl", help="JSON lines with questions")
    parser.add_argument(
        "--chunks", type=int, default=searching.CHUNKS, help="fill up to so many before searching (%(default)s)"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "bench-results" / "bench.json", help="the JSON file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
