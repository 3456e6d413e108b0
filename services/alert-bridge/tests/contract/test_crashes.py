"""The service as a process, with a real Redis and a SQLite file: killed in the middle of a storm of messages, and with
its broker away."""

import asyncio
import random

import httpx
import pytest
from alert_bridge.incidents import Decision
from sqlalchemy import text

pytestmark = pytest.mark.contract

HEADERS = {"authorization": "Bearer a-webhook-token-of-length"}
INCIDENTS, TARGETS, MESSAGES_EACH = 20, 18, 50


def message(number):
    labels = {"alertname": "NexusAnswerQualityLow", "nexus_action": "retrain"}
    labels["nexus_target"] = f"target-{number % TARGETS}"
    fields = {"status": "firing", "startsAt": "2026-11-20T12:00:00Z", "fingerprint": f"{number:016x}"}
    return {"version": "4", "alerts": [fields | {"labels": labels}]}


def storm():
    """Each message many times and out of order, while new incidents keep coming."""
    chance = random.Random(7)
    numbers = [number for number in range(INCIDENTS) for _ in range(MESSAGES_EACH)]
    places = {place: place + chance.random() * 4 * MESSAGES_EACH for place in range(len(numbers))}
    return [message(numbers[place]) for place in sorted(places, key=places.__getitem__)]


async def send_until_taken(client, body):
    """As Alertmanager does: again after a 5xx, or when nobody answers. How many incidents it decided."""
    while True:
        try:
            response = await client.post("/webhooks/alertmanager", json=body)
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            continue
        assert response.status_code == 200 or response.status_code >= 500, response.text
        if response.status_code == 200:
            return response.json()["decided"]


async def send_all(bridge, messages):
    """Send them eight at a time. Half-way the service is killed in the moment in which it promised a run, and started
    again."""
    left, taken, restarting = iter(messages), 0, None

    async def send_some(client):
        nonlocal taken, restarting
        for body in left:
            decided = await send_until_taken(client, body)
            taken += 1
            if restarting is None and decided and taken >= len(messages) / 2:
                bridge.kill()
                restarting = asyncio.create_task(asyncio.to_thread(bridge.start))

    async with httpx.AsyncClient(base_url=bridge.url, headers=HEADERS, timeout=30) as client:
        await asyncio.gather(*(send_some(client) for _ in range(8)))
    assert restarting is not None
    await restarting


async def test_a_thousand_messages_with_a_crash_in_between_order_each_run_once(
    bridge, redis, runs, store, engine, until
):
    redis.start()
    bridge.start()
    await send_all(bridge, storm())
    until(lambda: not runs.waiting())

    incidents = store.page(limit=100, before=None).incidents
    assert sum(incident.messages for incident in incidents) >= 1_000
    started = [incident for incident in incidents if incident.verdict.decision is Decision.STARTED]
    joined = [incident for incident in incidents if incident.verdict.decision is Decision.JOINED]
    assert (len(started), len(joined)) == (TARGETS, INCIDENTS - TARGETS)

    with engine.connect() as connection:
        kept = dict(connection.execute(text("SELECT incident, id FROM runs")).all())
    assert kept == {incident.id: incident.run.id for incident in started}
    assert {incident.run.id for incident in joined} < set(kept.values())
    ordered = {order.run_id: order.incident for order in redis.take_orders()}
    assert ordered == {run: incident for incident, run in kept.items()}


async def test_runs_that_were_decided_while_the_broker_was_away_are_ordered_when_it_is_back(bridge, redis, runs, until):
    bridge.start()
    async with httpx.AsyncClient(base_url=bridge.url, headers=HEADERS) as client:
        assert (await client.post("/webhooks/alertmanager", json=message(0))).status_code == 200
        bridge.kill()
        bridge.start()
        for number in (0, 1, TARGETS):
            assert (await client.post("/webhooks/alertmanager", json=message(number))).status_code == 200
    until(lambda: "nexus_run_orders_failed_total 0.0" not in bridge.get("/metrics").text)
    assert "nexus_runs_waiting 2.0" in bridge.get("/metrics").text
    readiness = bridge.get("/readyz")
    assert (readiness.status_code, readiness.json()["status"]) == (200, "degraded")
    waiting = runs.waiting()
    assert [order.target for order in waiting] == ["target-0", "target-1"]

    redis.start()
    until(lambda: not runs.waiting())
    assert {order.run_id for order in redis.take_orders()} == {order.run_id for order in waiting}
    until(lambda: "nexus_runs_waiting 0.0" in bridge.get("/metrics").text)
    until(lambda: bridge.get("/readyz").json()["status"] == "ready")
