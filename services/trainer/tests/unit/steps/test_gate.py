"""gate: one verdict, in the folder and in SQL alike, however often it is reached."""

import json

import pytest
from trainer.improvement.runs import next_stage
from trainer.improvement.stages import Stage
from trainer.steps.gate import gate


@pytest.fixture
def judged(world):
    """A run whose candidate was measured, and scores so much where the champion scores a half."""

    def make(candidate: float):
        world.leave_evaluations(candidate=candidate)
        world.comes_to(Stage.GATE)
        return world

    return make


def test_a_winner_goes_on_to_be_logged(judged):
    run = judged(1.0).stage(Stage.GATE)
    assert (run.outcome, next_stage(run)) == (None, Stage.LOG_MODEL)


def test_a_loser_ends_the_run_with_the_reasons(judged):
    run = judged(0.2).stage(Stage.GATE)
    assert run.outcome == "rejected"
    assert "specific: 50.0% before, 20.0% now" in run.says


def test_the_verdict_is_the_same_again_and_the_same_in_both_places(judged):
    world = judged(1.0)
    world.do(gate)
    before = world.files("evaluation")
    world.do(gate)
    assert world.files("evaluation") == before
    assert json.loads(world.work.verdict.read_text()) == json.loads(json.dumps(world.tools.runs.verdict(world.run.id)))


def test_one_that_was_not_kept_in_time_is_reached_again(judged):
    world = judged(0.2)
    world.interrupt("runs", "keep_verdict")
    with pytest.raises(RuntimeError):
        world.stage(Stage.GATE)
    assert world.run.outcome is None
    before = world.files("evaluation")
    assert world.stage(Stage.GATE).outcome == "rejected"
    assert world.files("evaluation") == before
    assert world.tools.runs.verdict(world.run.id)["decision"] == "reject"
