"""Every instrument of alert-bridge."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter

from alert_bridge.incidents import Decision, Incident

KNOWN_ALERTS: Final = frozenset(
    """
    NexusAnswerQualityLow NexusGroundednessLow NexusAbstentionHigh NexusAnswerSlow NexusErrorBudgetBurn
    NexusIngestStale NexusDeadLetters NexusRunFailed NexusCanaryWorse NexusServiceDown
    """.split()
)
"""The alerts of `monitoring/rules`. Whatever else Alertmanager sends shares one label, so that nobody can fill the
metrics with names."""
OTHER: Final = "other"

INCIDENTS: Final = Counter(
    "nexus_incidents_total", "Decisions about incidents; a repeated message is none.", ["alertname", "decision"]
)
for _alertname in (*KNOWN_ALERTS, OTHER):
    for _decision in Decision:
        INCIDENTS.labels(_alertname, _decision.value)


def count(decided: Iterable[Incident]) -> None:
    """Count incidents whose decision is new."""
    for incident in decided:
        alertname = incident.episode.labels.get("alertname", "")
        label = alertname if alertname in KNOWN_ALERTS else OTHER
        INCIDENTS.labels(label, incident.verdict.decision.value).inc()
