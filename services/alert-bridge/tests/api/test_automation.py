"""GET and PUT /v1/automation."""

import pytest
from alert_bridge.app import create_app

PATH = "/v1/automation"
NEVER_TURNED = {"paused": False, "by": None, "reason": None, "changed_at": None}


async def test_nobody_without_the_internal_token_may_look_or_turn(anonymous, alertmanager):
    for client in (anonymous, alertmanager):
        assert (await client.get(PATH)).status_code == 401
        assert (await client.put(PATH, json={"paused": True})).status_code == 401


async def test_it_starts_out_running(gateway):
    assert (await gateway.get(PATH)).json() == NEVER_TURNED


async def test_it_shows_who_turned_it_last_when_and_why(gateway):
    turned = await gateway.put(PATH, json={"paused": True, "reason": "exams"})
    assert turned.status_code == 200
    assert turned.json() | {"changed_at": None} == {
        "paused": True,
        "by": "key_1",
        "reason": "exams",
        "changed_at": None,
    }
    assert turned.json()["changed_at"]
    assert (await gateway.get(PATH)).json() == turned.json()
    again = await gateway.put(PATH, json={"paused": False}, headers={"x-nexus-key-id": "key_2"})
    assert (again.json()["paused"], again.json()["by"], again.json()["reason"]) == (False, "key_2", None)


async def test_a_turn_is_in_the_log(gateway, caplog):
    await gateway.put(PATH, json={"paused": True, "reason": "exams"})
    events = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    (line,) = [event for event in events if event["event"] == "automation_changed"]
    assert (line["by"], line["tenant"], line["paused"], line["reason"]) == ("key_1", "acme", True, "exams")


async def test_it_stays_as_it_is_over_a_restart(gateway, settings, starter):
    turned = (await gateway.put(PATH, json={"paused": True})).json()
    application = create_app(settings, starter=starter)
    async with application.router.lifespan_context(application):
        assert application.state.runs.automation().paused
    assert (await gateway.get(PATH)).json() == turned


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b'{"paused": "yes"}',
        b'{"paused": 1}',
        b'{"paused": true, "reason": 5}',
        b'{"paused": true, "reason": "\\u0000"}',
        b'{"paused": true, "reason": "\\ud800"}',
        b'{"paused": true, "reason": "%s"}' % (b"x" * 501),
    ],
)
async def test_a_senseless_wish_is_400_and_turns_nothing(gateway, body):
    assert (await gateway.put(PATH, content=body, headers={"content-type": "application/json"})).status_code == 400
    assert (await gateway.get(PATH)).json() == NEVER_TURNED


@pytest.mark.parametrize("key_id", ["", "k" * 129])
async def test_nobody_turns_it_unnamed(gateway, key_id):
    response = await gateway.put(PATH, json={"paused": True}, headers={"x-nexus-key-id": key_id})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "x-nexus-key-id")
