"""POST /webhooks/alertmanager, as Alertmanager calls it, and GET /v1/incidents."""

import json

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

PATH = "/webhooks/alertmanager"


def alert(number=1, status="firing", **changes):
    return {
        "status": status,
        "labels": {"alertname": "NexusServiceDown", "severity": "critical", "job": "rag"},
        "annotations": {"summary": "rag is down", "runbook_url": "docs/runbooks/NexusServiceDown.md"},
        "startsAt": "2026-11-20T12:00:00.123456789Z",
        "endsAt": "2026-11-20T12:05:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": f"{number:016x}",
    } | changes


def message(*alerts, **changes):
    return {
        "version": "4",
        "groupKey": '{}:{alertname="NexusServiceDown"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "alert-bridge",
        "groupLabels": {"alertname": "NexusServiceDown"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
    } | changes


def counted(alertname, decision):
    return REGISTRY.get_sample_value("nexus_incidents_total", {"alertname": alertname, "decision": decision})


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Bearer ", "Basic a-webhook-token-of-length", "Bearer \u00fc"])
async def test_nobody_but_alertmanager_may_call(anonymous, header):
    headers = {"authorization": header.encode("latin-1")} if header else {}
    response = await anonymous.post(PATH, json=message(alert()), headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"


async def test_the_internal_token_does_not_open_the_webhook_nor_the_other_way_round(gateway, alertmanager):
    assert (await gateway.post(PATH, json=message(alert()))).status_code == 401
    assert (await alertmanager.get("/v1/incidents", headers={"x-nexus-tenant": "acme"})).status_code == 401


async def test_an_alert_is_kept_and_shown(alertmanager, gateway):
    response = await alertmanager.post(PATH, json=message(alert()))
    assert (response.status_code, response.json()) == (200, {"alerts": 1, "decided": 1})
    (incident,) = (await gateway.get("/v1/incidents")).json()["incidents"]
    assert (incident["alertname"], incident["severity"], incident["status"]) == (
        "NexusServiceDown",
        "critical",
        "firing",
    )
    assert (incident["decision"], incident["run"], incident["run_outcome"]) == ("ignored", None, None)
    assert incident["starts_at"] == "2026-11-20T12:00:00.123456Z"
    assert incident["ends_at"] is None
    assert incident["annotations"]["summary"] == "rag is down"


async def test_fire_repeat_and_resolve_is_one_incident(alertmanager, gateway):
    decided = [
        (await alertmanager.post(PATH, json=message(alert(status=status)))).json()["decided"]
        for status in ("firing", "firing", "resolved", "resolved", "firing")
    ]
    assert decided == [1, 0, 1, 0, 0]
    (incident,) = (await gateway.get("/v1/incidents")).json()["incidents"]
    assert (incident["status"], incident["decision"], incident["messages"]) == ("resolved", "resolved", 5)
    assert incident["ends_at"] == "2026-11-20T12:05:00Z"


async def test_resolved_without_an_end_ends_now(alertmanager, gateway):
    await alertmanager.post(PATH, json=message(alert(status="resolved", endsAt="0001-01-01T00:00:00Z")))
    (incident,) = (await gateway.get("/v1/incidents")).json()["incidents"]
    assert incident["ends_at"] == incident["first_received"]


async def test_a_message_without_alerts_is_taken(alertmanager):
    assert (await alertmanager.post(PATH, json=message())).json() == {"alerts": 0, "decided": 0}


async def test_thousands_of_alerts_in_one_message_are_kept(alertmanager, gateway):
    response = await alertmanager.post(PATH, json=message(*[alert(number) for number in range(3_000)]))
    assert (response.status_code, response.json()["decided"]) == (200, 3_000)
    page = (await gateway.get("/v1/incidents", params={"limit": 1000})).json()
    assert (len(page["incidents"]), page["incidents"][0]["id"] is not None) == (1000, True)
    rest = (await gateway.get("/v1/incidents", params={"limit": 1000, "cursor": page["next_cursor"]})).json()
    assert not {i["id"] for i in rest["incidents"]} & {i["id"] for i in page["incidents"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"version": "4", "alerts": [{"labels": {"a": "\\ud800"}}]}',
        json.dumps(message(version="3")).encode(),
        json.dumps(message(version=4)).encode(),
        json.dumps(message() | {"alerts": None}).encode(),
        json.dumps(message(alert(status="pending"))).encode(),
        json.dumps(message(alert(startsAt="yesterday"))).encode(),
        json.dumps(message(alert(startsAt="2026-11-20T12:00:00"))).encode(),
        json.dumps(message(alert(startsAt="0001-01-01T00:00:00+05:00"))).encode(),
        json.dumps(message(alert(startsAt="9999-12-31T23:59:59-05:00"))).encode(),
        json.dumps(message(alert(startsAt=1e300))).encode(),
        json.dumps(message(alert(fingerprint="../../etc"))).encode(),
        json.dumps(message(alert(fingerprint=None))).encode(),
        json.dumps(message(alert(labels={"alertname": 5}))).encode(),
        json.dumps(message(alert(labels=None))).encode(),
    ],
)
async def test_what_is_not_alertmanagers_message_is_400_and_nothing_is_kept(alertmanager, gateway, body):
    response = await alertmanager.post(PATH, content=body)
    assert response.status_code == 400
    assert response.json()["error"]["message"]
    assert (await gateway.get("/v1/incidents")).json()["incidents"] == []


async def test_a_message_that_is_too_large_is_413(alertmanager, settings):
    response = await alertmanager.post(PATH, content=b" " * (settings.max_webhook_bytes + 1))
    assert response.status_code == 413


async def test_our_own_failure_is_5xx_so_that_alertmanager_tries_again(alertmanager, gateway, engine):
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE incidents RENAME TO away"))
    response = await alertmanager.post(PATH, json=message(alert()))
    assert response.status_code == 503
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO incidents"))
    assert (await alertmanager.post(PATH, json=message(alert()))).status_code == 200
    assert len((await gateway.get("/v1/incidents")).json()["incidents"]) == 1


async def test_decisions_are_counted_once_and_unknown_alerts_share_a_label(alertmanager):
    before = counted("NexusServiceDown", "ignored"), counted("other", "ignored"), counted("other", "resolved")
    strange = alert(2, labels={"alertname": "x" * 500})
    for _ in range(3):
        await alertmanager.post(PATH, json=message(alert(), strange))
    await alertmanager.post(PATH, json=message(strange | {"status": "resolved"}))
    after = counted("NexusServiceDown", "ignored"), counted("other", "ignored"), counted("other", "resolved")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]
    assert counted("x" * 500, "ignored") is None


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "cursor=x", "cursor=-1", "cursor=99999999999999999999"])
async def test_a_senseless_page_is_400(gateway, query):
    assert (await gateway.get(f"/v1/incidents?{query}")).status_code == 400


async def test_it_is_alive_ready_and_documented(anonymous):
    assert (await anonymous.get("/livez")).status_code == 200
    ready = {"status": "ready", "checks": {"broker": "ok", "database": "ok"}}
    assert (await anonymous.get("/readyz")).json() == ready
    assert "nexus_incidents_total" in (await anonymous.get("/metrics")).text
    page = (await anonymous.get("/openapi.json")).json()
    operation = page["paths"][PATH]["post"]
    assert operation["operationId"] == "receive_alerts"
    assert operation["security"] == [{"HTTPBearer": []}]
