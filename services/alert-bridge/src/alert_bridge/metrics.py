"""Every instrument of alert-bridge."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge

from alert_bridge.incidents import Decision, Handled

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
    "nexus_incidents_total",
    "Decisions about incidents. A repeated message is none, unless it asks for a run that there is: then it joined.",
    ["alertname", "decision"],
)
for _alertname in (*KNOWN_ALERTS, OTHER):
    for _decision in Decision:
        INCIDENTS.labels(_alertname, _decision.value)

RUNS_WAITING: Final = Gauge("nexus_runs_waiting", "Runs that were decided and are not handed over yet.")
RUN_ORDERS_FAILED: Final = Counter("nexus_run_orders_failed_total", "Attempts to hand over a run that failed.")
UNEXPECTED: Final = Counter(
    "nexus_bridge_unexpected_errors_total", "Errors nobody foresaw, by where they were caught.", ["at"]
)


def count(messages: Iterable[Handled]) -> None:
    """Count what messages came to."""
    for handled in messages:
        if handled.counts_as is not None:
            alertname = handled.episode.labels.get("alertname", "")
            label = alertname if alertname in KNOWN_ALERTS else OTHER
            INCIDENTS.labels(label, handled.counts_as.value).inc()
