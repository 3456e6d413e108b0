"""What to do about an alert: a pure function of what the message says and what is known."""

from alert_bridge.incidents import Decision, Episode, Incident, Verdict

ACTION_LABEL = "nexus_action"
"""What an alert wants done about it; only `retrain` is spoken of so far."""


def decide(episode: Episode, known: Incident | None) -> Verdict:
    """The verdict on a message about `episode`, of which `known` was kept before. This version can start no run, so a
    firing alert is ignored; its reason says whether it asked for one."""
    if known is not None and (known.closed or not episode.resolved):
        # Alertmanager repeats itself, and messages overtake each other. An alert that really fires again comes with a
        # new start, so what is closed stays closed.
        return known.verdict
    if episode.resolved:
        return Verdict(Decision.RESOLVED, "The alert stopped firing.")
    wanted = episode.labels.get(ACTION_LABEL)
    if not wanted:
        return Verdict(Decision.IGNORED, f"The alert asks for nothing: it has no label {ACTION_LABEL}.")
    return Verdict(Decision.IGNORED, f"The alert asks for {wanted[:100]!r}, and this version starts no runs.")
