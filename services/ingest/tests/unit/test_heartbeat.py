"""A beat must never come after the end of the beating."""

import threading
from datetime import timedelta
from typing import cast

import pytest
from ingest import heartbeat
from ingest.claims import Claims
from ingest.heartbeat import Heartbeat


class SlowClaims:
    """A database that takes its time for a beat."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.ended = 0

    def beat(self, owner: str, document_ids: list[str]) -> None:
        self.begun.set()
        assert self.may_end.wait(10)
        self.ended += 1


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> SlowClaims:
    monkeypatch.setattr(heartbeat, "LEASE", timedelta(milliseconds=40))
    return SlowClaims()


def test_to_stop_waits_for_the_beat_under_way(claims):
    beating = Heartbeat(cast(Claims, claims), "me")
    beating.start()
    with beating.working_on("document"):
        assert claims.begun.wait(10)
    threading.Timer(0.2, claims.may_end.set).start()
    beating.stop()
    assert claims.ended == 1


def test_one_that_never_began_stops_too(claims):
    Heartbeat(cast(Claims, claims), "me").stop()
