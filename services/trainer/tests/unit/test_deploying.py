"""Putting releases to work, with Triton faked: what is loaded when, and what a failure leaves behind."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from opskit.contracts.releases import ReleaseBundle, ServingTable
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable
from trainer.adapters.sql_releases import SqlReleases
from trainer.adapters.sql_runs import SqlRuns
from trainer.deploying import GRACE_SECONDS, PARTLY_SECONDS, Deployer
from trainer.improvement.releases import NotAllowed, Release, State, serving_table
from trainer.improvement.runs import Run

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BY = {"who": "key_1", "why": "a test", "now": NOON}


@pytest.fixture
def database(any_database):
    return any_database


class FakeServed:
    def __init__(self) -> None:
        self.models: set[str] = set()
        self.partly: set[str] = set()
        """Those that only some servers have."""
        self.loads: list[str] = []
        self.unloads: list[str] = []
        self.refuses: set[str] = set()
        self.down = False

    def load(self, model: str, reader: Path, digest: str) -> None:
        if self.down or model in self.refuses:
            raise Unavailable("Triton is down.")
        self.models.add(model)
        self.loads.append(model)

    def unload(self, model: str) -> None:
        self.models.discard(model)
        self.partly.discard(model)
        self.unloads.append(model)

    def loaded(self) -> set[str]:
        if self.down:
            raise Unavailable("Triton is down.")
        return set(self.models)

    def held(self) -> set[str]:
        return self.loaded() | self.partly


class FakeReaders:
    def of_release(self, bundle: ReleaseBundle) -> Path:
        return Path("/readers") / bundle.release


class World:
    def __init__(self, releases: SqlReleases) -> None:
        self.releases = releases
        self.served = FakeServed()
        self.deployer = Deployer(releases, FakeReaders(), self.served)  # type: ignore[arg-type]
        self.clock = 0.0

    def add(self, name: str, *, run: str = "run_1") -> None:
        bundle = ReleaseBundle(
            release=f"rel_{name}", reader_model=f"reader_{name}", reader_digest=name, engine="extractive", settings={}
        )
        self.releases.add(Release(bundle.release, State.CANDIDATE, bundle, run), {}, now=NOON)

    def add_settings_of(self, name: str, other: str) -> None:
        """A release with the reader of another one."""
        bundle = next(one.bundle for one in self.releases.all() if one.id == f"rel_{other}")
        bundle = bundle.model_copy(update={"release": f"rel_{name}"})
        self.releases.add(Release(bundle.release, State.CANDIDATE, bundle, "run_1"), {}, now=NOON)

    def reconcile(self, *, after: float = 0.0) -> None:
        self.clock += after
        self.deployer.reconcile(clock=lambda: self.clock)

    def states(self) -> dict[str, State]:
        return {one.id: one.state for one in self.releases.all()}

    def table(self) -> ServingTable:
        return serving_table(self.releases.all())


@pytest.fixture
def world(engine) -> World:
    made = World(SqlReleases(engine))
    made.releases.start_with(
        ReleaseBundle(release="rel_start", reader_digest="start", engine="extractive", settings={}), now=NOON
    )
    made.add("a")
    made.add("b")
    return made


def test_a_release_is_loaded_before_anybody_is_sent_to_it(world):
    world.deployer.try_out("rel_a", 0.2, **BY)
    assert world.served.models == {"reader_a"}
    challenger = world.table().challenger
    assert challenger is not None
    assert (challenger.release, world.table().share) == ("rel_a", 0.2)


def test_while_triton_is_away_nothing_changes(world):
    world.served.down = True
    for work in (lambda: world.deployer.try_out("rel_a", 0.2, **BY), lambda: world.deployer.promote("rel_a", **BY)):
        with pytest.raises(Unavailable):
            work()
    assert world.table() == ServingTable()


def test_going_back_loads_the_release_before(world):
    world.deployer.promote("rel_a", **BY)
    world.deployer.promote("rel_b", **BY)
    world.served.models = {"reader_b"}
    world.deployer.roll_back(**BY)
    assert world.states()["rel_a"] is State.CHAMPION
    assert "reader_a" in world.served.models


def test_while_triton_is_away_the_champion_stays(world):
    world.deployer.promote("rel_a", **BY)
    world.deployer.promote("rel_b", **BY)
    world.served.down = True
    with pytest.raises(Unavailable):
        world.deployer.roll_back(**BY)
    assert world.states()["rel_b"] is State.CHAMPION


def test_a_challenger_is_withdrawn_even_while_triton_is_away(world):
    world.deployer.try_out("rel_a", 0.2, **BY)
    world.served.down = True
    world.deployer.roll_back(**BY)
    assert world.table() == ServingTable()


def test_a_challenger_whose_run_came_to_nothing_is_withdrawn(world, engine):
    runs = SqlRuns(engine)
    runs.add(Run(RunOrder(run_id="run_1234567890"), "alert-bridge", NOON))
    world.add("c", run="run_1234567890")
    world.deployer.try_out("rel_c", 0.1, **BY)
    world.deployer.withdraw_abandoned(runs, now=NOON)
    assert world.states()["rel_c"] is State.CHALLENGER, "its run still watches it"
    runs.end("run_1234567890", "failed", "killed 3 times", now=NOON)
    world.deployer.withdraw_abandoned(runs, now=NOON)
    assert world.states()["rel_c"] is State.ROLLED_BACK
    assert "ended as failed" in world.releases.changes("rel_c")[-1].why


def test_what_cannot_be_promoted_is_not_loaded(world):
    world.deployer.try_out("rel_a", 0.2, **BY)
    world.deployer.roll_back(**BY)
    world.served.models.clear()
    with pytest.raises(NotAllowed):
        world.deployer.promote("rel_a", **BY)
    assert world.served.models == set()


def test_a_triton_that_lost_a_reader_gets_it_again(world):
    world.deployer.promote("rel_a", **BY)
    world.served.models.clear()
    world.reconcile()
    assert world.served.models == {"reader_a"}


def test_what_nobody_needs_is_unloaded_when_answers_are_finished(world):
    world.deployer.promote("rel_a", **BY)
    world.deployer.promote("rel_b", **BY)
    world.reconcile()
    assert world.served.models == {"reader_a", "reader_b"}
    world.reconcile(after=GRACE_SECONDS + 1)
    assert world.served.models == {"reader_b"}


class TestAReaderThatOnlySomeServersHave:
    @pytest.fixture(autouse=True)
    def partly(self, world):
        world.served.partly = {"reader_a"}
        world.reconcile()

    def test_goes_in_the_end(self, world):
        world.reconcile(after=PARTLY_SECONDS)
        assert world.served.unloads == ["reader_a"]

    def test_has_the_time_that_its_loading_takes_and_then_the_usual_grace(self, world):
        world.reconcile(after=GRACE_SECONDS + 1)
        world.served.models, world.served.partly = {"reader_a"}, set()
        world.reconcile(after=PARTLY_SECONDS)
        assert world.served.unloads == [], "whoever loaded it is about to say that it serves"
        world.reconcile(after=GRACE_SECONDS)
        assert world.served.unloads == ["reader_a"]

    def test_is_loaded_everywhere_where_it_is_to_serve(self, world):
        world.deployer.promote("rel_a", **BY)
        world.served.models, world.served.partly = set(), {"reader_a"}
        world.reconcile()
        assert (world.served.models, world.served.unloads) == ({"reader_a"}, [])


class TestAReaderThatTwoReleasesShare:
    @pytest.fixture
    def shared(self, world) -> World:
        world.add_settings_of("a2", "a")
        world.deployer.promote("rel_a", **BY)
        world.deployer.try_out("rel_a2", 0.2, **BY)
        assert world.served.models == {"reader_a"}
        return world

    def test_stays_when_the_one_that_was_tried_goes(self, shared):
        shared.deployer.roll_back(**BY)
        shared.reconcile()
        shared.reconcile(after=GRACE_SECONDS + 1)
        assert shared.served.models == {"reader_a"}
        assert shared.table().champion.release == "rel_a"

    def test_stays_when_the_older_one_retires(self, shared):
        shared.deployer.promote("rel_a2", **BY)
        shared.reconcile()
        shared.reconcile(after=GRACE_SECONDS + 1)
        assert shared.served.models == {"reader_a"}

    def test_goes_when_neither_serves(self, shared):
        shared.deployer.promote("rel_b", **BY)
        shared.reconcile()
        shared.reconcile(after=GRACE_SECONDS + 1)
        assert shared.served.models == {"reader_b"}

    def test_that_triton_starts_with_is_never_touched(self, world):
        world.add_settings_of("start2", "start")
        world.deployer.try_out("rel_start2", 0.2, **BY)
        world.deployer.promote("rel_start2", **BY)
        world.deployer.roll_back(**BY)
        world.reconcile()
        world.reconcile(after=GRACE_SECONDS + 1)
        assert world.served.loads == world.served.unloads == []


def test_a_reader_that_cannot_be_loaded_keeps_no_other_from_being_unloaded(world):
    world.deployer.promote("rel_a", **BY)
    world.deployer.promote("rel_b", **BY)
    world.reconcile()
    world.served.models.discard("reader_b")
    world.served.refuses = {"reader_b"}
    with pytest.raises(Unavailable):
        world.reconcile(after=GRACE_SECONDS + 1)
    assert world.served.models == set()


def test_what_is_needed_again_meanwhile_stays(world):
    world.deployer.promote("rel_a", **BY)
    world.deployer.promote("rel_b", **BY)
    world.reconcile()
    world.deployer.promote("rel_a", **BY)
    world.reconcile(after=GRACE_SECONDS / 2)
    world.deployer.promote("rel_b", **BY)
    world.reconcile(after=GRACE_SECONDS / 2)
    assert world.served.models == {"reader_a", "reader_b"}, "the grace begins anew"


class TestAStartReleaseThatWasProposedBefore:
    @pytest.fixture
    def again(self, world) -> ReleaseBundle:
        """`rel_a`'s settings, put into the file that rag starts with."""
        return next(one.bundle for one in world.releases.all() if one.id == "rel_a")

    def start(self, world, bundle) -> dict[str, State]:
        for _ in range(2):
            world.releases.start_with(bundle, now=NOON)
        return world.states()

    def test_it_stays_what_it_is_while_it_serves(self, world, again):
        world.deployer.promote("rel_a", **BY)
        assert self.start(world, again)["rel_a"] is State.CHAMPION
        assert world.states()["rel_start"] is State.SEEN

    def test_it_is_the_start_release_once_it_serves_no_more(self, world, again):
        world.deployer.promote("rel_a", **BY)
        world.deployer.promote("rel_b", **BY)
        assert self.start(world, again)["rel_a"] is State.START
        world.deployer.roll_back(**BY)
        assert serving_table(world.releases.all()) == ServingTable()

    def test_that_it_was_rolled_back_once_does_not_matter(self, world, again):
        world.deployer.try_out("rel_a", 0.2, **BY)
        world.deployer.roll_back(**BY)
        assert self.start(world, again)["rel_a"] is State.START

    def test_what_was_started_with_before_can_be_proposed(self, world, again):
        start = next(one.bundle for one in world.releases.all() if one.id == "rel_start")
        self.start(world, again)
        world.releases.add(Release("rel_start", State.CANDIDATE, start, "run_2"), {}, now=NOON)
        assert world.states()["rel_start"] is State.CANDIDATE


def test_a_new_start_release_leaves_the_champion_where_it_is(world):
    world.deployer.promote("rel_a", **BY)
    newer = ReleaseBundle(release="rel_newer", reader_digest="newer", engine="extractive", settings={})
    world.releases.start_with(newer, now=NOON)
    assert world.states() == {
        "rel_start": State.SEEN,
        "rel_a": State.CHAMPION,
        "rel_b": State.CANDIDATE,
        "rel_newer": State.START,
    }
