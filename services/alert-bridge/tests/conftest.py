"""Episodes to decide on, and a database of their own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from alert_bridge.adapters.sql import SqlIncidents
from alert_bridge.adapters.sql_runs import SqlRuns
from alert_bridge.decide import Policy, decide
from alert_bridge.incidents import Episode, Handled
from opskit.database import open_database
from sqlalchemy import Engine

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
POLICY = Policy(cooldown=timedelta(hours=6), deadline=timedelta(hours=3))


def episode(number: int = 1, *, starts_at: datetime = NOON, resolved: bool = False, **labels: str) -> Episode:
    """What a message says of alert `number`."""
    return Episode(
        fingerprint=f"{number:016x}",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=5) if resolved else None,
        labels={"alertname": "NexusServiceDown", "severity": "critical"} | labels,
        annotations={"summary": "rag is down"},
    )


@pytest.fixture
def make_episode() -> Callable[..., Episode]:
    return episode


@pytest.fixture
def wish() -> Callable[..., Episode]:
    """What a message says of an alert that asks for a run."""
    return partial(episode, nexus_action="retrain")


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/alert-bridge.db"


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    opened = open_database(database, migrations="alert_bridge.migrations")
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine: Engine) -> SqlIncidents:
    return SqlIncidents(engine)


@pytest.fixture
def runs(engine: Engine) -> SqlRuns:
    return SqlRuns(engine)


@pytest.fixture
def record(store: SqlIncidents) -> Callable[..., list[Handled]]:
    """Keep what one message says."""

    def keep(*episodes: Episode, now: datetime = NOON) -> list[Handled]:
        return store.record(episodes, partial(decide, policy=POLICY, now=now), now=now)

    return keep
