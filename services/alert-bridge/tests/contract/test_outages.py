"""The service away while alerts fire: a real Alertmanager, configured as we ship it, keeps them for it."""

import os
import time

import pytest
from alert_bridge.incidents import Decision

pytestmark = pytest.mark.contract

OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "5"))
TARGETS = ("reader", "other")


def failed_calls(alertmanager):
    return alertmanager.metric("alertmanager_notification_requests_failed_total")


@pytest.mark.timeout(60 + 4 * OUTAGE_SECONDS)
def test_an_alert_that_fires_while_nobody_listens_has_its_run_when_somebody_does(
    alertmanager, bridge, redis, store, until
):
    away_since = time.monotonic()
    for target in TARGETS:
        alertmanager.fire(nexus_target=target, release=f"rel_{target}")
    until(lambda: failed_calls(alertmanager) >= 2 and time.monotonic() - away_since >= OUTAGE_SECONDS, seconds=120)

    redis.start()
    bridge.start()
    until(lambda: len(store.page(limit=10, before=None).incidents) == len(TARGETS), seconds=120)
    incidents = store.page(limit=10, before=None).incidents
    assert {incident.verdict.decision for incident in incidents} == {Decision.STARTED}
    until(lambda: "nexus_runs_waiting 0.0" in bridge.get("/metrics").text)
    assert {order.run_id for order in redis.take_orders()} == {incident.run.id for incident in incidents}
