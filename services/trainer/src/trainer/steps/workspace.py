"""The folder of a run: what its stages leave for one another and for people."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Workspace:
    """`root` is the run's own folder."""

    root: Path

    @property
    def train(self) -> Path:
        """Examples to learn from."""
        return self._in("data") / "train.jsonl"

    @property
    def held_out(self) -> Path:
        """Examples to measure on."""
        return self._in("data") / "held-out.jsonl"

    @property
    def data_account(self) -> Path:
        """Where every vote went."""
        return self._in("data") / "account.json"

    @property
    def data_report(self) -> Path:
        """The same for people."""
        return self._in("data") / "report.html"

    @property
    def champion(self) -> Path:
        """Which release the run started from."""
        return self._in("data") / "champion.json"

    @property
    def proposal(self) -> Path:
        """The release that is tried, where it is the champion with other settings; else there is none."""
        return self._in("data") / "proposal.json"

    @property
    def model(self) -> Path:
        """The training's folder; the tuned reader is in `model/reader`."""
        return self._in("model")

    @property
    def launched(self) -> Path:
        """The command of a training under way that other machines may join."""
        return self.model / "launched.json"

    @property
    def candidate_reader(self) -> Path:
        """The tuned reader, ready to be served."""
        return self.model / "reader"

    @property
    def verdict(self) -> Path:
        """What the gate decided."""
        return self._in("evaluation") / "verdict.json"

    @property
    def tracking(self) -> Path:
        """The run's names in MLflow."""
        return self._in("evaluation") / "mlflow.json"

    def evaluation(self, name: str) -> Path:
        """What champion and candidate said to one set of questions."""
        return self._in("evaluation") / f"{name}.json"

    def log(self, stage: str) -> Path:
        """What a stage said."""
        return self._in("logs") / f"{stage}.log"

    def _in(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def write_json(path: Path, body: Any) -> None:
    """Whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


def read_json(path: Path) -> Any:
    """What `write_json` wrote. Raises FileNotFoundError."""
    return json.loads(path.read_text(encoding="utf-8"))
