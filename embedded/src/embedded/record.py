"""The supervisor's account of its parts, in a file that others read: `make status`, and the next `make up`."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from embedded.sessions import Identity


class State(StrEnum):
    """Where a part is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    NOT_READY = "not ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass
class PartRecord:
    """One part as it is now."""

    state: State = State.WAITING
    process: Identity | None = None
    """The session it leads; kept until all of it is gone."""
    since: float = 0.0
    """Seconds since the epoch at which `state` began."""
    restarts: int = 0
    failures: int = 0
    """Deaths since it was last ready."""
    reason: str = ""
    """Why it is not ready."""


@dataclass
class StackRecord:
    """The whole stack as it is now."""

    supervisor: Identity
    settings: str
    """Digest of everything the parts were started with."""
    parts: dict[str, PartRecord] = field(default_factory=dict)

    def save(self, file: Path) -> None:
        """Readers see the old or the new, nothing between."""
        draft = file.with_name(f"{file.name}.new")
        draft.write_text(json.dumps(asdict(self), indent=1))
        draft.replace(file)


def load(file: Path) -> StackRecord | None:
    """What was last written; None when there is nothing to read."""
    try:
        raw = json.loads(file.read_text())
        parts = {
            name: PartRecord(
                **{
                    **part,
                    "state": State(part["state"]),
                    "process": Identity(**part["process"]) if part["process"] else None,
                }
            )
            for name, part in raw["parts"].items()
        }
        return StackRecord(Identity(**raw["supervisor"]), raw["settings"], parts)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None  # torn by a full disk; then nothing is known
