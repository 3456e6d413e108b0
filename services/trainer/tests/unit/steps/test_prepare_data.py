"""prepare-data: the same votes make the same files, however often it takes."""

import json
from datetime import UTC, datetime

import pytest
from opskit.errors import Unavailable
from trainer.improvement.examples import Shown, read_examples
from trainer.improvement.preparing import Rules
from trainer.improvement.releases import Release, State, promoted
from trainer.improvement.runs import Status
from trainer.improvement.stages import Stage
from trainer.steps.prepare_data import prepare_data

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANOTHER = "run_9876543210"


def champion(world) -> str:
    return json.loads(world.work.champion.read_text())["release"]


def promote(world, digest: str) -> str:
    made = world.tools.answers.start_release().model_copy(
        update={"release": f"rel_{digest}", "reader_digest": digest, "reader_model": f"reader_{digest}"}
    )
    world.tools.releases.add(Release(made.release, State.CANDIDATE, made, "run_before"), {}, now=NOON)
    world.tools.releases.move(lambda all_, _: promoted(all_, made.release, who="me", why="a test", now=NOON))
    return made.release


def test_votes_become_examples_to_learn_from_and_others_to_measure_on(world, vote_on):
    vote_on(40)
    run = world.stage(Stage.PREPARE)
    train, held_out = (list(read_examples(path)) for path in (world.work.train, world.work.held_out))
    assert run.outcome is None
    from_votes = [one for one in (*train, *held_out) if one.origin != "document"]
    assert len(from_votes) == 40
    assert {one.answer for one in from_votes} == {f"{number + 100} seconds" for number in range(40)}
    assert set(world.files("data")) == {
        "account.json", "champion.json", "held-out.jsonl", "report.html", "train.jsonl",
    }  # fmt: skip


def test_done_again_it_leaves_the_same_files(world, vote_on):
    vote_on(40)
    done = world.do(prepare_data)
    before = world.files("data")
    assert world.do(prepare_data) == done
    assert world.files("data") == before


def test_what_broke_off_in_the_middle_is_done_again_and_leaves_what_it_would_have_left(world, vote_on):
    vote_on(40, text="Nothing of the kind.")
    world.tools.answers.finds = tuple(Shown("late.md", "Late", "", f"It is {n + 100} seconds.") for n in range(40))
    world.order(ANOTHER)
    world.stage(Stage.PREPARE, ANOTHER)

    world.tools.answers.fails = [Unavailable("rag is away")]
    with pytest.raises(Unavailable):
        world.stage(Stage.PREPARE)
    assert world.run.record_of(Stage.PREPARE).status is Status.FAILED
    run = world.stage(Stage.PREPARE)
    assert (run.record_of(Stage.PREPARE).status, run.record_of(Stage.PREPARE).attempts) == (Status.DONE, 2)
    assert world.files("data") == world.files("data", ANOTHER)


def test_with_too_few_votes_the_run_ends_and_says_what_is_missing(world, vote_on):
    vote_on(5)
    run = world.stage(Stage.PREPARE)
    assert run.outcome == "no_data"
    assert run.says == (
        "Too little to learn from: 4 examples to learn from, 1 to measure on, of 5 votes; "
        "20 are needed, 8 of them to measure on."
    )
    assert world.work.data_report.exists(), "where the votes went can be read all the same"


def test_it_ends_too_where_all_is_held_out_and_nothing_left_to_learn_from(world, vote_on):
    world.change(rules=Rules(held_out=1.0))
    vote_on(40)
    run = world.stage(Stage.PREPARE)
    assert run.outcome == "no_data"
    assert list(read_examples(world.work.train)) == []


class TestTheChampion:
    def test_it_is_the_start_release_where_none_was_promoted(self, world, vote_on):
        vote_on(40)
        world.stage(Stage.PREPARE)
        assert champion(world) == world.tools.answers.start_release().release

    def test_it_stays_the_one_of_the_beginning_whoever_is_promoted_meanwhile(self, world, vote_on):
        vote_on(40)
        first = promote(world, "first")
        world.stage(Stage.PREPARE)
        promote(world, "second")
        world.stage(Stage.PREPARE)
        assert champion(world) == first
