"""The decision, apart from everything."""

from datetime import UTC, datetime, timedelta

from alert_bridge.decide import decide
from alert_bridge.incidents import Decision, Episode, Incident, Verdict
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

labels = st.dictionaries(st.sampled_from(["alertname", "nexus_action", "job"]), st.text(max_size=20))
episodes = st.builds(
    Episode,
    fingerprint=st.just("a" * 16),
    starts_at=st.just(NOON),
    ends_at=st.sampled_from([None, NOON + timedelta(minutes=1)]),
    labels=labels,
    annotations=st.just({}),
)


def kept(episode: Episode, verdict: Verdict) -> Incident:
    return Incident(episode.incident_id, episode, verdict, None, NOON, NOON, 1)


def after(messages: list[Episode]) -> list[Verdict]:
    """The verdicts on messages about one episode, each knowing those before it."""
    known: Incident | None = None
    verdicts = []
    for message in messages:
        verdict = decide(message, known)
        known = kept(message, verdict)
        verdicts.append(verdict)
    return verdicts


def test_an_alert_that_asks_for_nothing_is_ignored(make_episode):
    verdict = decide(make_episode(), None)
    assert verdict.decision is Decision.IGNORED
    assert "no label nexus_action" in verdict.reason


def test_a_wish_for_a_run_is_ignored_and_says_why(make_episode):
    verdict = decide(make_episode(nexus_action="retrain"), None)
    assert verdict.decision is Decision.IGNORED
    assert verdict.reason == "The alert asks for 'retrain', and this version starts no runs."


def test_what_resolved_is_closed_even_if_it_was_never_seen_to_fire(make_episode):
    assert decide(make_episode(resolved=True), None).decision is Decision.RESOLVED


def test_a_late_firing_message_does_not_open_what_is_closed(make_episode):
    decisions = [verdict.decision for verdict in after([make_episode(resolved=True), make_episode()])]
    assert decisions == [Decision.RESOLVED, Decision.RESOLVED]


@given(messages=st.lists(episodes, min_size=1, max_size=20))
def test_once_resolved_always_resolved_and_not_before(messages):
    resolved_so_far = False
    for message, verdict in zip(messages, after(messages), strict=True):
        resolved_so_far = resolved_so_far or message.resolved
        assert (verdict.decision is Decision.RESOLVED) == resolved_so_far


@given(message=episodes, times=st.integers(2, 10))
def test_a_repeated_message_never_changes_the_verdict(message, times):
    assert len(set(after([message] * times))) == 1


@given(messages=st.lists(episodes, max_size=20))
def test_this_version_starts_nothing(messages):
    assert {verdict.decision for verdict in after(messages)} <= {Decision.IGNORED, Decision.RESOLVED}


def test_an_incident_is_named_by_fingerprint_and_start(make_episode):
    same = [make_episode(), make_episode(resolved=True), make_episode(job="other")]
    assert len({episode.incident_id for episode in same}) == 1
    apart = [make_episode(), make_episode(2), make_episode(starts_at=NOON + timedelta(microseconds=1))]
    assert len({episode.incident_id for episode in apart}) == 3
