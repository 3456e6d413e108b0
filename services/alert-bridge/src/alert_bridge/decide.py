"""What to do about an alert: a pure function of what the message says and what is known."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alert_bridge.incidents import ACTION_LABEL, RETRAIN, Decision, Episode, Incident, Verdict
from alert_bridge.runs import Automation, Target


@dataclass(frozen=True)
class Policy:
    """How often runs may start. `cooldown` goes from the end of a target's last run to the start of its next;
    `deadline` is how long a run may take until it counts as lost."""

    cooldown: timedelta
    deadline: timedelta


def decide(episode: Episode, known: Incident | None, target: Target, *, policy: Policy, now: datetime) -> Verdict:
    """The verdict on a message about `episode`, of which `known` was kept before, and which asks for a run of `target`
    if for any.

    What is closed stays closed: Alertmanager repeats itself and messages overtake each other, but an alert that really
    fires again comes with a new start. What has a run keeps it. All else is decided anew with each message, so an alert
    that keeps firing gets its run once nothing stands in the way.
    """
    if known is not None and known.closed:
        return known.verdict
    if episode.resolved:
        return Verdict(Decision.RESOLVED, "The alert stopped firing.")
    if known is not None and _has_a_run(known, policy, now):
        return known.verdict
    if not episode.action:
        return Verdict(Decision.IGNORED, f"The alert asks for nothing: it has no label {ACTION_LABEL}.")
    if episode.action != RETRAIN:
        return Verdict(Decision.IGNORED, f"The alert asks for {episode.action[:100]!r}, which nobody here can do.")
    return _answer_to_a_wish(episode, target, policy, now)


def _has_a_run(known: Incident, policy: Policy, now: datetime) -> bool:
    """One of its own, over or not, or another's that is under way."""
    if known.verdict.decision is Decision.STARTED:
        return True
    if known.verdict.decision is not Decision.JOINED or known.run is None:
        return False
    return known.run.ended_at(now=now, deadline=policy.deadline) is None


def _answer_to_a_wish(episode: Episode, target: Target, policy: Policy, now: datetime) -> Verdict:
    if run := target.in_flight(now=now, deadline=policy.deadline):
        return Verdict(Decision.JOINED, f"Run {run.id} of {target.name} is under way.", run.id)
    if target.automation.paused:
        return Verdict(Decision.IGNORED, _paused(target.automation))
    ended = target.last_end(now=now, deadline=policy.deadline)
    if ended is not None and now < ended + policy.cooldown:
        until = (ended + policy.cooldown).isoformat(timespec="seconds")
        return Verdict(Decision.COOLDOWN, f"A run of {target.name} ended a while ago; the next may start at {until}.")
    return Verdict(Decision.STARTED, f"Run {episode.run_id} of {target.name} was started.", episode.run_id)


def _paused(automation: Automation) -> str:
    because = f": {automation.reason}" if automation.reason else "."
    return f"Automatic runs are paused by {automation.by}{because}"
