"""model-deployment: a release is tried, watched, and promoted or withdrawn, whatever happens meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest
from opskit.errors import Unavailable
from trainer.deploying import Deployer
from trainer.improvement.canary import Traffic
from trainer.improvement.releases import Release, State, promoted
from trainer.improvement.stages import Stage
from trainer.steps.log_model import log_model
from trainer.steps.tools import Canary

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BY = {"who": "me", "why": "I say so", "now": NOON}
WELL, BADLY = Traffic(answers=100, slowest=0.1), Traffic(answers=100, errors=60, slowest=0.1)


@pytest.fixture
def logged(world):
    """The candidate is a release, and does well under real traffic."""
    world.leave_candidate()
    world.do(log_model)
    world.comes_to(Stage.DEPLOY)
    (start,) = (one.id for one in world.tools.releases.all() if one.state is State.START)
    world.tools.traffic.of_releases = {start: WELL, world.wanted: WELL}
    return world


def does(world, traffic: Traffic) -> None:
    world.tools.traffic.of_releases[world.wanted] = traffic


def deployer(world) -> Deployer:
    return Deployer(world.tools.releases, world.tools.readers, world.tools.served)


def steps(world) -> list[State]:
    return [change.after for change in world.tools.releases.changes(world.wanted)]


def test_one_that_does_well_is_promoted(logged):
    assert logged.stage(Stage.DEPLOY).outcome == "promoted"
    assert steps(logged) == [State.CHALLENGER, State.CHAMPION]


def test_one_that_does_badly_is_withdrawn(logged):
    does(logged, BADLY)
    run = logged.stage(Stage.DEPLOY)
    assert run.outcome == "rolled_back"
    assert "It fails more often: 60% of its answers" in run.says


def test_a_watch_that_broke_off_goes_on(logged):
    does(logged, Traffic())
    logged.interrupt("runs", "sign")
    with pytest.raises(RuntimeError):
        logged.stage(Stage.DEPLOY)
    assert logged.states()[logged.wanted] is State.CHALLENGER
    does(logged, WELL)
    assert logged.stage(Stage.DEPLOY).outcome == "promoted"
    assert steps(logged) == [State.CHALLENGER, State.CHAMPION], "it was not tried out a second time"


def test_one_that_was_promoted_before_the_crash_is_found_so(logged):
    deployer(logged).try_out(logged.wanted, 0.1, **BY)
    deployer(logged).promote(logged.wanted, **BY)
    run = logged.stage(Stage.DEPLOY)
    assert (run.outcome, run.says) == ("promoted", f"{logged.wanted} was promoted by me: I say so")


def test_while_triton_is_away_nobody_is_sent_to_it(logged):
    logged.tools.served.away_at = {1}
    with pytest.raises(Unavailable):
        logged.stage(Stage.DEPLOY)
    assert logged.states()[logged.wanted] is State.CANDIDATE
    assert logged.stage(Stage.DEPLOY).outcome == "promoted"


def test_a_triton_that_is_away_at_the_promotion_is_waited_for(logged):
    logged.tools.served.away_at = {2, 3}
    run = logged.stage(Stage.DEPLOY)
    assert (run.outcome, run.record_of(Stage.DEPLOY).attempts) == ("promoted", 1)
    assert any("That has to wait: Triton is away" in line for line in logged.said)


def test_what_an_operator_withdraws_meanwhile_is_not_held_against_the_champion(logged):
    """Rolled back once more, the champion would have had to go."""
    earlier = logged.tools.answers.start_release().model_copy(update={"release": "rel_earlier"})
    logged.tools.releases.add(Release("rel_earlier", State.CANDIDATE, earlier, "run_before"), {}, now=NOON)
    logged.tools.releases.move(lambda all_, _: promoted(all_, "rel_earlier", **BY))
    does(logged, BADLY)

    def withdraw() -> None:
        logged.tools.traffic.meanwhile = lambda: None
        deployer(logged).roll_back(**BY)

    logged.tools.traffic.meanwhile = withdraw
    run = logged.stage(Stage.DEPLOY)
    assert (run.outcome, run.says) == ("rolled_back", f"{logged.wanted} was rolled back by me: I say so")
    assert logged.states()["rel_earlier"] is State.CHAMPION


def test_what_an_operator_promotes_meanwhile_stays_so(logged):
    def promote() -> None:
        logged.tools.traffic.meanwhile = lambda: None
        deployer(logged).promote(logged.wanted, **BY)

    logged.tools.traffic.meanwhile = promote
    assert logged.stage(Stage.DEPLOY).outcome == "promoted"
    assert steps(logged) == [State.CHALLENGER, State.CHAMPION]


def test_without_a_witness_nothing_is_changed_for_good(logged):
    logged.change(canary=Canary(deadline=timedelta(0), look_every=timedelta(0)))
    logged.tools.traffic.away = True
    run = logged.stage(Stage.DEPLOY)
    assert run.outcome == "rolled_back"
    assert "nobody knows how it did" in run.says
