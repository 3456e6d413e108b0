"""The decision, apart from everything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alert_bridge.decide import Policy, decide
from alert_bridge.incidents import Decision, Episode, Handled, Incident, Verdict
from alert_bridge.runs import Automation, Run, Target
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from opskit.contracts.runs import DEFAULT_TARGET, RunOrder

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
POLICY = Policy(cooldown=timedelta(hours=6), deadline=timedelta(hours=3))
IDLE = Target("reader", unfinished=None, last_finish=None, automation=Automation())
PAUSED = Automation(paused=True, by="key_1", reason="exams", changed_at=NOON)
UNDER_WAY = Run("run_0123456789", "reader", None, NOON, NOON, None, None, "")
BUSY = replace(IDLE, unfinished=UNDER_WAY)

labels = st.dictionaries(
    st.sampled_from(["alertname", "nexus_action", "nexus_target"]), st.text(max_size=20) | st.just("retrain")
)
episodes = st.builds(
    Episode,
    fingerprint=st.just("a" * 16),
    starts_at=st.just(NOON),
    ends_at=st.sampled_from([None, NOON + timedelta(minutes=1)]),
    labels=labels,
    annotations=st.dictionaries(st.just("summary"), st.text(max_size=2000)),
)


def judged(episode: Episode, known: Incident | None = None, target: Target = IDLE, *, now: datetime = NOON) -> Verdict:
    return decide(episode, known, target, policy=POLICY, now=now)


def kept(episode: Episode, verdict: Verdict, run: Run | None = None) -> Incident:
    return Incident(episode.incident_id, episode, verdict, run, NOON, NOON, 1)


def joined(episode: Episode, run: Run = UNDER_WAY) -> Incident:
    return kept(episode, Verdict(Decision.JOINED, "", run.id), run)


def after(messages: list[Episode], target: Target = IDLE) -> list[Verdict]:
    """The verdicts on messages about one episode, each knowing those before it."""
    known: Incident | None = None
    verdicts = []
    for message in messages:
        verdict = judged(message, known, target)
        known = kept(message, verdict)
        verdicts.append(verdict)
    return verdicts


def test_an_alert_that_asks_for_nothing_is_ignored(make_episode):
    verdict = judged(make_episode())
    assert verdict.decision is Decision.IGNORED
    assert "no label nexus_action" in verdict.reason


def test_an_alert_that_asks_for_something_else_is_ignored_and_says_why(make_episode):
    verdict = judged(make_episode(nexus_action="reboot"))
    assert (verdict.decision, verdict.run) == (Decision.IGNORED, None)
    assert verdict.reason == "The alert asks for 'reboot', which nobody here can do."


def test_a_wish_for_a_run_starts_one(wish):
    verdict = judged(wish())
    assert (verdict.decision, verdict.run) == (Decision.STARTED, wish().run_id)


def test_a_run_is_started_once_however_long_the_alert_fires(wish):
    known = kept(wish(), judged(wish()))
    for target in (IDLE, BUSY, replace(IDLE, last_finish=NOON)):
        assert judged(wish(), known, target, now=NOON + timedelta(days=365)) == known.verdict


def test_another_incident_joins_the_run_that_is_under_way(wish):
    verdict = judged(wish(2), target=BUSY)
    assert (verdict.decision, verdict.run) == (Decision.JOINED, UNDER_WAY.id)


def test_what_joined_a_run_stays_with_it_while_it_is_in_flight(wish):
    other = replace(IDLE, unfinished=replace(UNDER_WAY, id="run_another1"))
    known = joined(wish(2))
    assert judged(wish(2), known, other) == known.verdict


def test_what_joined_a_run_is_looked_at_again_once_that_has_ended(wish):
    ended = replace(UNDER_WAY, finished_at=NOON, outcome="rejected")
    just_now, later = replace(IDLE, last_finish=NOON), NOON + POLICY.cooldown
    assert judged(wish(2), joined(wish(2), ended), just_now).decision is Decision.COOLDOWN
    assert judged(wish(2), joined(wish(2), ended), just_now, now=later).run == wish(2).run_id


def test_after_a_run_there_is_a_cooldown_to_the_second_and_it_says_until_when(wish):
    target = replace(IDLE, last_finish=NOON)
    end = NOON + POLICY.cooldown
    verdict = judged(wish(), target=target, now=end - timedelta(microseconds=1))
    assert verdict.decision is Decision.COOLDOWN
    assert "2026-11-20T18:00:00+00:00" in verdict.reason
    assert judged(wish(), kept(wish(), verdict), target, now=end).decision is Decision.STARTED


def test_a_run_that_never_reported_is_lost_at_the_deadline_and_cools_down_from_there(wish):
    lost_at = NOON + POLICY.deadline
    decisions = [
        judged(wish(), target=BUSY, now=now).decision
        for now in (
            lost_at - timedelta(microseconds=1),
            lost_at,
            lost_at + POLICY.cooldown - timedelta(microseconds=1),
            lost_at + POLICY.cooldown,
        )
    ]
    assert decisions == [Decision.JOINED, Decision.COOLDOWN, Decision.COOLDOWN, Decision.STARTED]


def test_a_run_that_still_waits_for_the_queue_is_in_flight_for_as_long_as_it_does(wish):
    waiting = replace(IDLE, unfinished=replace(UNDER_WAY, ordered_at=None))
    assert judged(wish(), target=waiting, now=NOON + timedelta(days=30)).decision is Decision.JOINED


def test_while_runs_are_paused_a_wish_is_ignored_and_granted_afterwards(wish):
    verdict = judged(wish(), target=replace(IDLE, automation=PAUSED))
    assert verdict == Verdict(Decision.IGNORED, "Automatic runs are paused by key_1: exams")
    assert judged(wish(), kept(wish(), verdict)).decision is Decision.STARTED


def test_a_pause_does_not_end_what_is_under_way(wish):
    assert judged(wish(), target=replace(BUSY, automation=PAUSED)).decision is Decision.JOINED


def test_what_resolved_is_closed_even_if_it_was_never_seen_to_fire(wish):
    assert judged(wish(resolved=True)).decision is Decision.RESOLVED


def test_a_late_firing_message_does_not_open_what_is_closed(wish):
    decisions = [verdict.decision for verdict in after([wish(resolved=True), wish()])]
    assert decisions == [Decision.RESOLVED, Decision.RESOLVED]


@given(messages=st.lists(episodes, min_size=1, max_size=20))
def test_once_resolved_always_resolved_and_not_before(messages):
    resolved_so_far = False
    for message, verdict in zip(messages, after(messages), strict=True):
        resolved_so_far = resolved_so_far or message.resolved
        assert (verdict.decision is Decision.RESOLVED) == resolved_so_far


@given(message=episodes, times=st.integers(2, 10), target=st.sampled_from([IDLE, BUSY]))
def test_a_repeated_message_never_changes_the_verdict_while_nothing_else_does(message, times, target):
    assert len(set(after([message] * times, target))) == 1


@given(message=episodes)
def test_any_alert_makes_an_order_that_the_contract_allows(message):
    order = message.order()
    assert RunOrder.model_validate(order.model_dump(mode="json")) == order
    assert (order.run_id, order.incident) == (message.run_id, message.incident_id)
    assert len(order.run_id) == len("run_") + 24


@pytest.mark.parametrize(
    ("named", "target"),
    [("embedder", "embedder"), ("a" * 63, "a" * 63)]
    + [(wrong, DEFAULT_TARGET) for wrong in ("", "Reader", "a/b", "a" * 64, "reader\n")],
)
def test_the_target_is_the_one_that_is_named_if_it_can_be_one(make_episode, named, target):
    assert make_episode(nexus_target=named).target == target
    assert make_episode().target == DEFAULT_TARGET


def test_an_incident_is_named_by_fingerprint_and_start(make_episode):
    same = [make_episode(), make_episode(resolved=True), make_episode(job="other")]
    assert len({episode.incident_id for episode in same}) == 1
    apart = [make_episode(), make_episode(2), make_episode(starts_at=NOON + timedelta(microseconds=1))]
    assert len({episode.incident_id for episode in apart}) == 3
    assert len({episode.run_id for episode in [*same, *apart]}) == 3


def handled(message: Episode, before: Decision | None, now: Decision) -> Handled:
    known = kept(message, Verdict(before, "")) if before is not None else None
    return Handled(message, known, kept(message, Verdict(now, "")))


def test_a_new_decision_counts_as_itself(wish):
    for decision in Decision:
        assert handled(wish(), None, decision).counts_as is decision
    assert handled(wish(), Decision.COOLDOWN, Decision.STARTED).counts_as is Decision.STARTED


def test_a_repeated_message_counts_only_if_it_asks_for_a_run_that_there_is(wish, make_episode):
    for decision in Decision:
        has_run = decision in (Decision.STARTED, Decision.JOINED)
        assert handled(wish(), decision, decision).counts_as is (Decision.JOINED if has_run else None)
        assert handled(make_episode(), decision, decision).counts_as is None


class PlatformOverTime(RuleBasedStateMachine):
    """Alerts, runs, a switch and a clock, in any order: whatever happens, runs start as they should."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.incidents: dict[str, Incident] = {}
        self.resolved: set[str] = set()
        self.runs: dict[str, Run] = {}
        self.automation = Automation()

    def target(self, name: str) -> Target:
        of_target = [run for run in self.runs.values() if run.target == name]
        unfinished = [run for run in of_target if run.finished_at is None]
        return Target(
            name,
            max(unfinished, key=lambda run: (run.ordered_at is None, run.ordered_at or NOON), default=None),
            max((run.finished_at for run in of_target if run.finished_at is not None), default=None),
            self.automation,
        )

    def in_flight(self, name: str) -> list[Run]:
        return [run for run in self.runs.values() if run.target == name and self.end_of(run) is None]

    def end_of(self, run: Run) -> datetime | None:
        return run.ended_at(now=self.now, deadline=POLICY.deadline)

    def send(self, number: int, target: str, *, resolved: bool = False) -> Verdict:
        message = Episode(f"{number:x}", NOON, NOON if resolved else None, {}, {})
        message = replace(message, labels={"nexus_action": "retrain", "nexus_target": target})
        known = self.incidents.get(message.incident_id)
        if known is not None and known.run is not None:
            known = replace(known, run=self.runs[known.run.id])
        verdict = decide(message, known, self.target(target), policy=POLICY, now=self.now)
        if verdict.decision is Decision.STARTED and (known is None or known.verdict.decision is not Decision.STARTED):
            self.start(message, target)
        run = self.runs[verdict.run] if verdict.run is not None else None
        self.incidents[message.incident_id] = kept(message, verdict, run)
        if resolved:
            self.resolved.add(message.incident_id)
        assert (verdict.decision is Decision.RESOLVED) == (message.incident_id in self.resolved)
        return verdict

    def start(self, message: Episode, target: str) -> None:
        assert message.run_id not in self.runs
        assert message.incident_id not in self.resolved
        assert not self.automation.paused
        assert not self.in_flight(target)
        ends = [self.end_of(run) for run in self.runs.values() if run.target == target]
        assert all(end is not None and end + POLICY.cooldown <= self.now for end in ends)
        self.runs[message.run_id] = Run(message.run_id, target, message.incident_id, self.now, None, None, None, "")

    @rule(number=st.integers(1, 4), named=st.sampled_from(["reader", "embedder"]))
    def an_alert_fires(self, number: int, named: str) -> None:
        verdict = self.send(number, named)
        if verdict.decision is Decision.JOINED:
            assert self.end_of(self.runs[verdict.run]) is None

    @rule(number=st.integers(1, 4))
    def an_alert_resolves(self, number: int) -> None:
        self.send(number, "reader", resolved=True)

    @rule(minutes=st.integers(1, 600))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_queue_takes_what_waits(self) -> None:
        for run in self.runs.values():
            if run.ordered_at is None:
                self.runs[run.id] = replace(run, ordered_at=self.now)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def a_run_is_reported(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(sorted(self.runs.values(), key=lambda run: run.id)))
        if run.finished_at is None:
            self.runs[run.id] = replace(run, finished_at=self.now, outcome="promoted")

    @rule(paused=st.booleans())
    def somebody_turns_the_switch(self, paused: bool) -> None:
        self.automation = Automation(paused, "key_1")

    def teardown(self) -> None:
        """An alert that keeps firing gets its run in the end, or has had it."""
        self.automation = Automation()
        for name in ("reader", "embedder"):
            self.runs = {run.id: replace(run, finished_at=run.finished_at or self.now) for run in self.runs.values()}
            self.now += POLICY.cooldown
            first = self.send(9 if name == "reader" else 10, name)
            assert first.decision is Decision.STARTED


PlatformOverTime.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestThePlatformOverTime = PlatformOverTime.TestCase
