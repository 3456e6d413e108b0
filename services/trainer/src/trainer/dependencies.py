"""The typed things a route may ask for."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Query, Request
from opskit.errors import InvalidRequest
from opskit.identity import KEY_HEADER, Caller, InternalCaller

from trainer.deploying import Deployer
from trainer.ports import Answers, Bridge, FeedbackStore, ReleaseStore, RunQueue, RunStore


@dataclass(frozen=True)
class Parts:
    """What the routes work with, made in the lifespan."""

    feedback: FeedbackStore
    runs: RunStore
    releases: ReleaseStore
    queue: RunQueue
    bridge: Bridge
    answers: Answers
    deployer: Deployer
    runs_folder: Path


_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def _feedback(request: Request) -> FeedbackStore:
    return _parts(request).feedback


def _voter(caller: InternalCaller) -> Caller:
    if not _KEY_ID.fullmatch(caller.key_id):
        raise InvalidRequest(f"{KEY_HEADER} is missing or malformed; a vote belongs to a key.")
    return caller


PartsDep = Annotated[Parts, Depends(_parts)]
Feedback = Annotated[FeedbackStore, Depends(_feedback)]
Voter = Annotated[Caller, Depends(_voter)]
Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]
Cursor = Annotated[int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before.")]
