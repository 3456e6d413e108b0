"""Champion and candidate asked here, apart from what serves: each with its own reader, both with the same passages."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nexus_serving.engines.contract import ReaderFailed
from nexus_serving.engines.opening import Reader
from opskit.contracts.releases import ReleaseBundle

from trainer.improvement.evaluating import Question, Said, as_json, in_turns, said_by
from trainer.improvement.wording import wording_of
from trainer.ports import Readers
from trainer.steps.tools import Say, StageFailed, Tools
from trainer.steps.workspace import Workspace, read_json


class Asked:
    """A reader and what it said. One that cannot be opened, or fails, is broken: bad news about it, no error. Close it
    when done."""

    def __init__(self, readers: Readers, folder: Path, prompt: Mapping[str, str]) -> None:
        self._prompt = prompt
        self.said: list[Said] = []
        self.digest = self.broken = ""
        self._reader: Reader | None = None
        try:
            self.digest = str(json.loads((folder / "reader.json").read_text())["digest"])
            self._reader = readers.open(folder)
        except (OSError, ValueError, KeyError, TypeError, ReaderFailed) as exc:
            self.digest, self.broken = "", f"{type(exc).__name__}: {exc}"[:500]

    def ask(self, question: Question) -> None:
        """Put one more question to it, unless it is broken."""
        if self._reader is None or self.broken:
            return
        try:
            self.said.append(said_by(self._reader, question, self._prompt))
        except ReaderFailed as exc:
            self.said, self.broken = [], str(exc)[:500]

    def as_json(self) -> dict[str, Any]:
        """For the evaluation's file."""
        return {"digest": self.digest, "said": as_json(self.said), "broken": self.broken}

    def close(self) -> None:
        """Let go of the reader."""
        if self._reader is not None:
            self._reader.close()


def read_by_both(tools: Tools, work: Workspace, questions: Sequence[Question], say: Say) -> dict[str, Any]:
    """What both say to the questions. Raises StageFailed: the champion cannot be asked."""
    release = ReleaseBundle.model_validate(read_json(work.champion))
    prompt = wording_of(release).for_reader()
    champion = Asked(tools.readers, tools.readers.of_release(release), prompt)
    candidate = Asked(tools.readers, work.candidate_reader, prompt)
    try:
        in_turns([champion.ask, candidate.ask], questions, say)
    finally:
        champion.close()
        candidate.close()
    if champion.broken:
        raise StageFailed(f"The champion, {release.release}, cannot be asked, and it is what serves: {champion.broken}")
    return {"champion": champion.as_json(), "candidate": candidate.as_json()}
