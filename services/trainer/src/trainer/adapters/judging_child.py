"""What runs in the judge's process: reads cases, writes verdicts, until its input ends. See `judge_process`."""

import json
import os
import queue
import sys
import threading
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from trainer.observing.judging import Case, OpenAiJudge, Verdict, from_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainer.adapters.trulens_judge import Triad

_REMEMBERED: Final = 512
"""Texts: TruLens asks about each passage apart, and the question is in all of it."""


def main() -> None:
    """Judge for as long as there is somebody to judge for."""
    # Libraries print; only verdicts may stand in what the worker reads.
    said = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    terms: dict[str, str] = json.loads(sys.stdin.readline())
    cases: queue.Queue[Case] = queue.Queue()
    # The worker's thread must not wait for room in the pipe while TruLens is imported.
    threading.Thread(target=_read, args=(sys.stdin, cases), daemon=True).start()
    triad = _triad(terms)
    while True:
        print(json.dumps(asdict(_verdict(triad, cases.get()))), file=said, flush=True)


def _read(lines: IO[str], cases: "queue.Queue[Case]") -> None:
    for line in lines:
        cases.put(from_line(json.loads(line)))
    os._exit(0)  # the worker is gone: nobody would hear what is being judged


def _triad(terms: dict[str, str]) -> "Triad":
    from trainer.adapters import trulens_judge

    if "model" in terms:
        return trulens_judge.openai(OpenAiJudge(terms["base_url"], terms["model"]), terms["key"])
    from nexus_serving.engines.embedder import Embedder

    embedder = Embedder(Path(terms["embedder"]))

    @lru_cache(_REMEMBERED)
    def vector(text: str) -> "NDArray[np.float32]":
        made: NDArray[np.float32] = embedder.embed([text])[0][0]
        return made

    return trulens_judge.local(lambda texts: np.stack([vector(text) for text in texts]))


def _verdict(triad: "Triad", case: Case) -> Verdict:
    try:
        return triad.verdict(case)
    except Exception as exc:  # noqa: BLE001 - the process's boundary: whoever waits for it is told what happened
        failure: Any = f"{type(exc).__name__}: {exc}"
        return Verdict(case.answer_id, {}, {}, failure=failure[:2000])


if __name__ == "__main__":
    main()
