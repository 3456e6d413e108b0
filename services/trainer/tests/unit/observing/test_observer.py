"""Observing, with a real SQLite between a made-up rag, MLflow and judge."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from opskit.errors import Unavailable
from sqlalchemy import create_engine
from trainer import metrics
from trainer.adapters.sql import SqlFeedback
from trainer.adapters.sql_observations import SqlObservations
from trainer.observing import observer as observing
from trainer.observing.judging import Verdict
from trainer.observing.observer import Observer
from trainer.observing.ports import Page, Refused, TraceMissing
from trainer.observing.pseudonyms import Pseudonyms
from trainer.observing.sampling import Shares
from trainer.observing.traces import trace_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = Pseudonyms("a secret of some length")
SCORES = {"context_relevance": 0.5, "groundedness": 1.0, "answer_relevance": 0.25}


@pytest.fixture
def database(any_database):
    return any_database


class FakeAnswers:
    """rag's log: the cursor is the place in a list."""

    def __init__(self):
        self.kept, self.down, self.unreadable = [], False, 0

    def after(self, cursor, *, limit):
        if self.down:
            raise Unavailable("rag is away")
        start = int(cursor or 0)
        found = self.kept[start : start + limit]
        return Page(found, self.unreadable, str(start + len(found)), more=len(found) == limit)


class FakeTraces:
    """MLflow: keeps what it is told, unless it is down or does not like an answer."""

    def __init__(self):
        self.kept, self.opinions, self.down, self.disliked = {}, {}, False, set()

    def keep(self, traces):
        self._answer()
        if self.disliked & {trace.answer_id for trace in traces}:
            raise Refused("400")
        self.kept.update({trace.id: trace for trace in traces})

    def assess(self, trace_id, assessments):
        self._answer()
        if trace_id not in self.kept:
            raise TraceMissing(trace_id)
        self.opinions.update({(trace_id, one.key): one for one in assessments})

    def forget(self, *, before):
        self._answer()
        old = [trace.id for trace in self.kept.values() if trace.spans[0].start < before.timestamp() * 1e9]
        for trace_id in old:
            del self.kept[trace_id]
        return len(old)

    def _answer(self):
        if self.down:
            raise Unavailable("MLflow is away")

    @property
    def answers(self):
        return sorted(trace.answer_id for trace in self.kept.values())

    def said(self, name):
        return [one.value for one in self.opinions.values() if one.name == name]


class FakeJudge:
    """Comes to a verdict at once, when it is asked for verdicts."""

    name = "local-1/fake"

    def __init__(self):
        self.cases, self.fails = [], False

    def room(self):
        return 2 - len(self.cases)

    def judge(self, case):
        self.cases.append(case)

    def verdicts(self):
        cases, self.cases = self.cases, []
        if self.fails:
            return [Verdict(case.answer_id, {}, {}, failure="it is tired") for case in cases]
        return [Verdict(case.answer_id, SCORES, {}, 0.1) for case in cases]


class World:
    def __init__(self, engine):
        self.answers, self.traces, self.judge = FakeAnswers(), FakeTraces(), FakeJudge()
        self.store, self.feedback = SqlObservations(engine), SqlFeedback(engine)
        self.now = NOON
        self.begin(Shares(1.0, 0.0))

    def begin(self, shares):
        """A worker that has just started."""
        self.observer = Observer(
            answers=self.answers,
            store=self.store,
            traces=self.traces,
            judge=self.judge,
            shares=shares,
            names=NAMES,
            clock=lambda: self.now,
        )

    def ticks(self, times=1):
        for _ in range(times):
            self.observer.tick()


@pytest.fixture
def world(engine):
    return World(engine)


@pytest.fixture
def grown():
    """How much a counter of the worker grew."""

    def value(counter, *labels):
        return counter.labels(*labels)._value.get()

    counters = {}

    def since(counter, *labels):
        return value(counter, *labels) - counters.get((counter, labels), 0.0)

    for counter, labels in (
        (metrics.OBSERVED, ("lost",)),
        (metrics.OBSERVE_FAILURES, ("answers",)),
        (metrics.OBSERVE_FAILURES, ("votes",)),
        (metrics.JUDGEMENTS, ("failed",)),
        (metrics.JUDGEMENTS, ("put_off",)),
    ):
        counters[counter, labels] = value(counter, *labels)
    return since


class TestAnswers:
    def test_every_answer_becomes_a_trace_that_sql_knows(self, world, make_answer):
        world.answers.kept = [make_answer(answer_id=f"ans_{number}") for number in range(120)]
        world.ticks()
        assert len(world.traces.answers) == 120
        assert world.store.trace_of("ans_7") == trace_of(make_answer(answer_id="ans_7"), NAMES).id

    def test_a_worker_that_starts_again_goes_on_where_it_was(self, world, make_answer):
        world.answers.kept = [make_answer()]
        world.ticks()
        world.traces.kept.clear()
        world.begin(Shares(1.0, 0.0))
        world.answers.kept.append(make_answer(answer_id="ans_2"))
        world.ticks()
        assert world.traces.answers == ["ans_2"]

    def test_of_a_share_only_the_sample_is_traced(self, world, make_answer):
        world.begin(Shares(0.5, 0.0))
        world.answers.kept = [make_answer(answer_id=f"ans_{number}") for number in range(40)]
        world.ticks()
        chosen = [f"ans_{number}" for number in range(40) if Shares(0.5, 0.0).traces(f"ans_{number}")]
        assert world.traces.answers == sorted(chosen)
        assert 5 < len(chosen) < 35

    def test_with_mlflow_away_nothing_is_lost(self, world, make_answer, grown):
        world.answers.kept = [make_answer()]
        world.traces.down = True
        world.ticks(3)
        assert grown(metrics.OBSERVE_FAILURES, "answers") == 3
        world.traces.down = False
        world.ticks()
        assert world.traces.answers == ["ans_1"]

    def test_with_rag_away_votes_are_observed_all_the_same(self, world, make_vote):
        world.answers.down = True
        world.feedback.keep(make_vote(), now=NOON)
        world.ticks()
        assert world.traces.said("user_rating") == ["down"]

    def test_an_answer_that_mlflow_never_takes_stops_the_others_only_for_a_while(self, world, make_answer, grown):
        world.answers.kept = [make_answer(answer_id=f"ans_{number}") for number in range(3)]
        world.traces.disliked = {"ans_1"}
        world.ticks(observing.PATIENCE - 1)
        assert world.store.progress(now=NOON).cursor is None
        world.ticks()
        assert world.traces.answers == ["ans_0", "ans_2"]
        assert world.store.progress(now=NOON).cursor == "3"
        assert grown(metrics.OBSERVED, "lost") == 1

    def test_a_refusal_that_passes_loses_nothing(self, world, make_answer):
        world.answers.kept = [make_answer()]
        world.traces.disliked = {"ans_1"}
        world.ticks(3)
        world.traces.disliked = set()
        world.ticks()
        assert world.traces.answers == ["ans_1"]

    def test_a_tick_ends_in_time_and_the_next_goes_on(self, world, make_answer, monkeypatch):
        monkeypatch.setattr(observing, "SECONDS_A_TICK", -1.0)
        world.answers.kept = [make_answer()]
        world.ticks()
        assert world.traces.answers == []
        monkeypatch.undo()
        world.ticks()
        assert world.traces.answers == ["ans_1"]

    def test_the_lag_grows_while_it_cannot_go_on_and_outlives_a_restart(self, world, make_answer):
        world.ticks()
        assert world.observer.lag() == 0
        world.traces.down = True
        world.answers.kept = [make_answer()]
        world.now += timedelta(minutes=5)
        world.begin(Shares(1.0, 0.0))
        world.ticks()
        assert world.observer.lag() == 300
        world.traces.down = False
        world.ticks()
        assert world.observer.lag() == 0

    def test_the_lag_grows_when_rag_was_never_there(self, world):
        world.answers.down = True
        world.ticks()
        world.now += timedelta(minutes=5)
        world.ticks()
        assert world.observer.lag() == 300

    def test_one_at_a_time(self, world, make_answer):
        inside, go_on = threading.Event(), threading.Event()
        asked = []

        def slowly(cursor, *, limit):
            asked.append(cursor)
            inside.set()
            assert go_on.wait(10)
            return Page([], 0, "0", more=False)

        world.answers.after = slowly
        other = threading.Thread(target=world.ticks)
        other.start()
        assert inside.wait(10)
        world.ticks()
        go_on.set()
        other.join()
        assert asked == [None]


class TestVotes:
    def test_a_vote_stands_at_the_trace_of_its_answer_though_that_was_not_in_the_sample(self, world, make_vote):
        world.begin(Shares(0.0, 0.0))
        world.feedback.keep(make_vote("down", correction="One minute."), now=NOON)
        world.ticks()
        ((trace_id, _), opinion), *more = world.traces.opinions.items()
        assert not more
        assert world.store.trace_of("ans_1") == trace_id
        assert (opinion.value, opinion.rationale) == ("down", "Correction: One minute.")

    def test_an_observed_vote_is_not_told_again(self, world, make_vote):
        world.feedback.keep(make_vote(), now=NOON)
        world.ticks()
        world.traces.opinions.clear()
        world.begin(Shares(1.0, 0.0))
        world.ticks(2)
        assert world.traces.opinions == {}

    def test_a_changed_vote_takes_the_place_of_the_first(self, world, make_vote):
        world.feedback.keep(make_vote("down"), now=NOON)
        world.ticks()
        world.feedback.keep(make_vote("up"), now=NOON + timedelta(minutes=1))
        world.ticks()
        assert world.traces.said("user_rating") == ["up"]

    def test_a_vote_that_changes_while_it_is_observed_is_observed_again(self, world, make_vote):
        world.feedback.keep(make_vote("down"), now=NOON)
        (seen,) = world.store.votes(limit=10)
        world.feedback.keep(make_vote("up"), now=NOON + timedelta(seconds=1))
        world.store.vote_observed(seen)
        assert [one.vote.rating for one in world.store.votes(limit=10)] == ["up"]

    def test_two_voters_are_two_opinions(self, world, make_vote):
        for key_id, rating in (("key_1", "up"), ("key_2", "down")):
            world.feedback.keep(make_vote(rating, key_id=key_id), now=NOON)
        world.ticks()
        assert sorted(world.traces.said("user_rating")) == ["down", "up"]

    def test_with_mlflow_away_a_vote_waits(self, world, make_vote):
        world.traces.down = True
        world.feedback.keep(make_vote(), now=NOON)
        world.ticks(observing.PATIENCE + 5)
        world.traces.down = False
        world.ticks()
        assert world.traces.said("user_rating") == ["down"]

    def test_when_mlflow_was_begun_anew_the_trace_is_made_again(self, world, make_answer, make_vote):
        world.answers.kept = [make_answer()]
        world.ticks()
        world.traces.kept.clear()
        world.feedback.keep(make_vote(), now=NOON)
        world.ticks()
        assert world.traces.answers == ["ans_1"]
        assert world.traces.said("user_rating") == ["down"]

    def test_a_vote_that_mlflow_never_takes_does_not_stop_the_others(self, world, make_vote, grown):
        world.traces.disliked = {"ans_1"}
        for number in (1, 2):
            world.feedback.keep(make_vote(answer_id=f"ans_{number}"), now=NOON)
        world.ticks()
        assert len(world.traces.said("user_rating")) == 1
        assert grown(metrics.OBSERVE_FAILURES, "votes") == 1
        world.ticks(observing.PATIENCE)
        assert world.store.votes(limit=10) == []


class TestJudgements:
    @pytest.fixture(autouse=True)
    def all_are_judged(self, world):
        world.begin(Shares(0.0, 1.0))

    def test_a_judged_answer_has_its_scores_in_sql_and_at_its_trace(self, world, make_answer):
        world.answers.kept = [make_answer()]
        world.ticks(2)
        assert {one.name: one.value for one in world.traces.opinions.values()} == SCORES
        assert world.store.waiting() == 0
        assert world.store.to_show(limit=10) == []

    def test_the_judge_gets_no_more_than_it_takes(self, world, make_answer):
        world.answers.kept = [make_answer(answer_id=f"ans_{number}") for number in range(5)]
        world.ticks()
        assert len(world.judge.cases) == 2
        world.ticks(3)
        assert len(world.traces.opinions) == 15

    def test_an_answer_is_judged_once(self, world, make_answer):
        world.answers.kept = [make_answer()]
        world.ticks(2)
        world.store.advance(world.store.progress(now=NOON), traced={}, to_judge=[make_answer()], now=NOON)
        world.ticks()
        assert world.judge.cases == []

    def test_abstentions_are_not_judged(self, world, make_answer):
        world.answers.kept = [make_answer(outcome="abstained", abstained=True)]
        world.ticks(2)
        assert world.store.waiting() == 0

    def test_what_fails_is_tried_later_and_at_last_given_up(self, world, make_answer, grown):
        world.answers.kept = [make_answer()]
        world.judge.fails = True
        world.ticks(4)
        assert grown(metrics.JUDGEMENTS, "put_off") == 1
        for _ in range(10):
            world.now += timedelta(hours=1)
            world.ticks(2)
        assert grown(metrics.JUDGEMENTS, "failed") == 1
        assert world.store.waiting() == 0

    def test_an_answer_whose_judge_was_lost_is_judged_by_the_next(self, world, make_answer):
        world.answers.kept = [make_answer()]
        world.ticks()
        world.judge.cases.clear()
        world.begin(Shares(0.0, 1.0))
        world.ticks(2)
        assert world.traces.opinions == {}
        world.now += observing.JUDGING_TAKES
        world.ticks(2)
        assert len(world.traces.opinions) == 3

    def test_scores_wait_for_mlflow(self, world, make_answer):
        world.answers.kept = [make_answer()]
        world.ticks()
        world.traces.down = True
        world.ticks()
        assert len(world.store.to_show(limit=10)) == 1
        world.traces.down = False
        world.ticks()
        assert len(world.traces.opinions) == 3

    def test_what_is_old_is_forgotten_here_and_in_mlflow(self, world, make_answer):
        world.answers.kept = [make_answer()]
        world.ticks(2)
        world.observer.forget(before=NOON)
        assert world.store.trace_of("ans_1")
        world.traces.down = True
        world.observer.forget(before=NOON + timedelta(seconds=1))
        assert world.store.trace_of("ans_1") is None
        world.traces.down = False
        world.observer.forget(before=NOON + timedelta(seconds=1))
        assert world.traces.answers == []


def test_a_database_that_is_away_is_said_to_be():
    with pytest.raises(Unavailable):
        SqlObservations(create_engine("sqlite://")).progress(now=NOON)
