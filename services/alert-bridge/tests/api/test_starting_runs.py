"""From an alert that asks for a run to the order of that run."""

import asyncio
from datetime import UTC, datetime

import pytest
from alert_bridge.app import create_app
from prometheus_client import REGISTRY

HOOK = "/webhooks/alertmanager"
ALERT = "NexusAnswerQualityLow"


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in threads
            await asyncio.sleep(0.005)


async def incidents_of(gateway):
    return (await gateway.get("/v1/incidents")).json()["incidents"]


def counted(decision):
    return REGISTRY.get_sample_value("nexus_incidents_total", {"alertname": ALERT, "decision": decision})


async def report(trainer, run_id, outcome="rejected"):
    body = {"outcome": outcome, "finished_at": datetime.now(UTC).isoformat()}
    return (await trainer.put(f"/internal/runs/{run_id}", json=body)).json()


async def test_an_alert_that_asks_for_a_run_starts_one(alertmanager, gateway, starter, make_wish):
    response = await alertmanager.post(HOOK, json=make_wish())
    assert (response.status_code, response.json()) == (200, {"alerts": 1, "decided": 1})
    await until(lambda: starter.started)
    (incident,) = await incidents_of(gateway)
    (order,) = starter.started
    assert (incident["decision"], incident["run"], incident["run_outcome"]) == ("started", order.run_id, None)
    assert order.run_id == incident["id"].replace("inc_", "run_")
    assert (order.target, order.incident, order.alertname) == ("reader", incident["id"], ALERT)
    assert order.reason == "People do not like the answers."


async def test_whatever_is_sent_again_orders_nothing_again(alertmanager, gateway, starter, make_wish):
    for number in (1, 1, 2, 1, 2, 2):
        assert (await alertmanager.post(HOOK, json=make_wish(number))).status_code == 200
    await until(lambda: starter.started)
    second, first = await incidents_of(gateway)
    assert (first["decision"], second["decision"]) == ("started", "joined")
    assert first["run"] == second["run"] == starter.started[0].run_id
    assert len(starter.started) == 1


async def test_the_webhook_answers_200_while_the_queue_is_away_and_the_run_is_ordered_afterwards(
    alertmanager, anonymous, gateway, starter, make_wish
):
    starter.is_away = True
    assert (await alertmanager.post(HOOK, json=make_wish())).status_code == 200
    await until(lambda: REGISTRY.get_sample_value("nexus_runs_waiting") == 1)
    readiness = await anonymous.get("/readyz")
    assert (readiness.status_code, readiness.json()["status"]) == (200, "degraded")
    assert "The queue is away." in readiness.json()["checks"]["broker"]
    starter.is_away = False
    await until(lambda: starter.started)
    await until(lambda: REGISTRY.get_sample_value("nexus_runs_waiting") == 0)


async def test_a_queue_that_never_answers_holds_up_no_message(alertmanager, starter, make_wish):
    starter.is_silent = True
    for number in range(3):
        assert (await alertmanager.post(HOOK, json=make_wish(number))).status_code == 200


async def test_what_a_crash_left_is_handed_over_at_the_next_start(settings, starter, record, wish):
    record(wish())
    application = create_app(settings, starter=starter)
    async with application.router.lifespan_context(application):
        await until(lambda: starter.started == [wish().order()])


async def test_the_life_of_an_incident_is_counted(alertmanager, trainer, starter, make_wish):
    names = ("started", "joined", "cooldown", "resolved", "ignored")
    before = [counted(name) for name in names]
    for _ in range(3):
        await alertmanager.post(HOOK, json=make_wish(1))
    await alertmanager.post(HOOK, json=make_wish(2))
    await until(lambda: starter.started)
    await report(trainer, starter.started[0].run_id)
    for _ in range(2):
        await alertmanager.post(HOOK, json=make_wish(3))
        await alertmanager.post(HOOK, json=make_wish(4, nexus_action="reboot"))
    for _ in range(2):
        await alertmanager.post(HOOK, json=make_wish(1, "resolved"))
    await alertmanager.post(HOOK, json=make_wish(1))
    after = [counted(name) for name in names]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 3, 1, 1, 1]


async def test_after_a_run_a_new_incident_has_to_wait_and_says_until_when(
    alertmanager, gateway, trainer, starter, make_wish
):
    await alertmanager.post(HOOK, json=make_wish(1))
    await until(lambda: starter.started)
    await report(trainer, starter.started[0].run_id, "promoted")
    await alertmanager.post(HOOK, json=make_wish(2))
    waiting, started = await incidents_of(gateway)
    assert (waiting["decision"], waiting["run"]) == ("cooldown", None)
    assert "the next may start at 20" in waiting["reason"]
    assert (started["decision"], started["run_outcome"]) == ("started", "promoted")


async def test_a_manual_run_of_trainer_is_joined(alertmanager, gateway, trainer, starter, make_wish):
    assert (await trainer.post("/internal/runs", json={"run_id": "run_manual0001"})).status_code == 200
    await alertmanager.post(HOOK, json=make_wish())
    (incident,) = await incidents_of(gateway)
    assert (incident["decision"], incident["run"]) == ("joined", "run_manual0001")
    assert starter.started == []


async def test_runs_of_two_targets_go_on_beside_each_other(alertmanager, starter, make_wish):
    await alertmanager.post(HOOK, json=make_wish(1))
    await alertmanager.post(HOOK, json=make_wish(2, nexus_target="embedder"))
    await until(lambda: len(starter.started) == 2)
    assert [order.target for order in starter.started] == ["reader", "embedder"]


async def test_no_alert_starts_a_run_while_they_are_paused(alertmanager, gateway, starter, make_wish):
    await gateway.put("/v1/automation", json={"paused": True, "reason": "exams"})
    await alertmanager.post(HOOK, json=make_wish())
    (incident,) = await incidents_of(gateway)
    assert (incident["decision"], incident["reason"]) == ("ignored", "Automatic runs are paused by key_1: exams")
    await gateway.put("/v1/automation", json={"paused": False})
    await alertmanager.post(HOOK, json=make_wish())
    await until(lambda: starter.started)


async def test_a_run_that_waits_is_not_handed_over_while_they_are_paused(alertmanager, gateway, starter, make_wish):
    starter.is_away = True
    await alertmanager.post(HOOK, json=make_wish())
    await until(lambda: REGISTRY.get_sample_value("nexus_runs_waiting") == 1)
    await gateway.put("/v1/automation", json={"paused": True})
    starter.is_away = False
    await alertmanager.post(HOOK, json=make_wish(2, nexus_target="embedder"))
    assert starter.started == []
    await gateway.put("/v1/automation", json={"paused": False})
    await until(lambda: starter.started)


@pytest.mark.parametrize("text", ["\u0000", "x" * 5_000, "\U0001f600"])
async def test_whatever_an_alert_is_called_its_run_is_ordered(alertmanager, starter, make_wish, text):
    wish = make_wish(alertname=text)
    wish["alerts"][0]["annotations"] = {"summary": text}
    assert (await alertmanager.post(HOOK, json=wish)).status_code == 200
    await until(lambda: starter.started)
