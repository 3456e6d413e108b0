"""Telling MLflow of releases."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from opskit.contracts.releases import ReleaseBundle
from opskit.errors import Unavailable
from trainer.adapters.sql_releases import SqlReleases
from trainer.improvement.releases import Release, State, promoted
from trainer.registering import Registrar

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BUNDLE = ReleaseBundle(release="rel_a", reader_model="reader_a", reader_digest="a", engine="extractive", settings={})


class FakeTracker:
    def __init__(self) -> None:
        self.told: list[tuple[str, str | None]] = []
        self.readers: dict[str, Path | None] = {}
        self.away = False

    def register(self, release, parts, reader, *, run):
        if self.away:
            raise Unavailable("MLflow is away.")
        self.told.append((release.id, "registered"))
        self.readers[release.id] = reader
        return {}

    def alias(self, release_id, alias):
        self.told.append((release_id, alias))


class FakeReaders:
    def of_release(self, bundle):
        return Path("/readers")


@pytest.fixture
def releases(engine) -> SqlReleases:
    kept = SqlReleases(engine)
    kept.start_with(BUNDLE.model_copy(update={"release": "rel_start", "reader_model": "reader"}), now=NOON)
    kept.add(Release("rel_a", State.CANDIDATE, BUNDLE, "run_1"), {}, now=NOON)
    return kept


def test_a_release_is_told_once_and_its_alias_when_it_changes(releases):
    tracker = FakeTracker()
    registrar = Registrar(releases, tracker, FakeReaders())
    registrar.follow()
    registrar.follow()
    assert tracker.told == [("rel_a", "registered"), ("rel_a", None)]
    releases.move(lambda all_, _: promoted(all_, "rel_a", who="me", why="a test", now=NOON))
    registrar.follow()
    assert tracker.told[-1] == ("rel_a", "champion")


def test_a_release_without_a_reader_of_its_own_is_registered_without_one(engine):
    start = BUNDLE.model_copy(update={"release": "rel_start", "reader_model": "reader"})
    releases = SqlReleases(engine)
    releases.start_with(start, now=NOON)
    settings = start.model_copy(update={"release": "rel_b"})
    releases.add(Release("rel_b", State.CANDIDATE, settings, "run_2"), {}, now=NOON)
    tracker = FakeTracker()
    Registrar(releases, tracker, FakeReaders()).follow()
    assert tracker.readers == {"rel_b": None}


def test_what_mlflow_did_not_hear_is_told_again(releases):
    tracker = FakeTracker()
    tracker.away = True
    registrar = Registrar(releases, tracker, FakeReaders())
    with pytest.raises(Unavailable):
        registrar.follow()
    tracker.away = False
    registrar.follow()
    assert ("rel_a", "registered") in tracker.told


def test_the_release_that_the_platform_starts_with_is_asked_for_again_without_a_lock(releases, engine):
    with engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        releases.start_with(releases.all()[0].bundle, now=NOON)
