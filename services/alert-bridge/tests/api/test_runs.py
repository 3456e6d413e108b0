"""POST and PUT /internal/runs, as trainer calls them."""

import pytest

REPORT = {"outcome": "promoted", "finished_at": "2026-11-20T12:00:00Z", "message": "F1 went up."}
MANUAL = {"run_id": "run_manual0001", "reason": "by hand"}


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
async def test_nobody_without_the_internal_token_may_tell_of_runs(anonymous, headers):
    for method, path, body in (("POST", "/internal/runs", MANUAL), ("PUT", "/internal/runs/run_manual0001", REPORT)):
        assert (await anonymous.request(method, path, json=body, headers=headers)).status_code == 401


async def test_alertmanager_may_not_tell_of_runs_either(alertmanager):
    assert (await alertmanager.post("/internal/runs", json=MANUAL)).status_code == 401


async def test_a_run_is_told_of_and_ended(trainer):
    noted = await trainer.post("/internal/runs", json=MANUAL)
    assert noted.status_code == 200
    run = noted.json()
    assert run["started_at"] == run["ordered_at"]
    assert run | {"started_at": None, "ordered_at": None} == {
        "run_id": "run_manual0001",
        "target": "reader",
        "incident": None,
        "started_at": None,
        "ordered_at": None,
        "finished_at": None,
        "outcome": None,
        "message": "",
    }
    ended = await trainer.put("/internal/runs/run_manual0001", json=REPORT)
    assert ended.status_code == 200
    assert (ended.json()["outcome"], ended.json()["message"]) == ("promoted", "F1 went up.")
    again = await trainer.put("/internal/runs/run_manual0001", json=REPORT | {"outcome": "failed"})
    assert (again.status_code, again.json()) == (200, ended.json())


async def test_the_end_of_an_unknown_run_is_taken(trainer):
    response = await trainer.put("/internal/runs/run_unknown001", json=REPORT)
    assert response.status_code == 200
    assert (response.json()["target"], response.json()["finished_at"]) == ("reader", "2026-11-20T12:00:00Z")


async def test_fields_of_a_newer_trainer_are_passed_over(trainer):
    assert (await trainer.post("/internal/runs", json=MANUAL | {"priority": 3})).status_code == 200
    assert (await trainer.put("/internal/runs/run_manual0001", json=REPORT | {"cost": 1})).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"run_id": "inc_0123456789"},
        {"run_id": "run_" + "a" * 41},
        MANUAL | {"target": "No Target"},
        MANUAL | {"reason": "x" * 1001},
    ],
)
async def test_what_is_no_order_is_400(trainer, body):
    assert (await trainer.post("/internal/runs", json=body)).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "won"},
        {"finished_at": "yesterday"},
        {"finished_at": None},
        {"message": None},
    ],
)
async def test_what_is_no_report_is_400(trainer, changes):
    assert (await trainer.put("/internal/runs/run_manual0001", json=REPORT | changes)).status_code == 400


@pytest.mark.parametrize("run_id", ["run_short", "run_UPPERCASE", "inc_0123456789", "run_0123456789%00"])
async def test_what_is_no_run_id_is_400(trainer, run_id):
    assert (await trainer.put(f"/internal/runs/{run_id}", json=REPORT)).status_code == 400


@pytest.mark.parametrize(
    "finished_at",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-20T12:00:00", 0, 1e11],
)
async def test_a_run_may_end_at_any_time_of_a_strange_clock(trainer, finished_at):
    response = await trainer.put("/internal/runs/run_manual0001", json=REPORT | {"finished_at": finished_at})
    assert response.status_code == 200


@pytest.mark.parametrize("text", [b'"a\\u0000b"', b'"\\ud800"', '"\U0001f600"'.encode()])
async def test_no_character_in_a_message_breaks_anything(trainer, text):
    body = b'{"outcome": "failed", "finished_at": "2026-11-20T12:00:00Z", "message": ' + text + b"}"
    headers = {"content-type": "application/json"}
    response = await trainer.put("/internal/runs/run_manual0001", content=body, headers=headers)
    assert response.status_code == 200
    body = b'{"run_id": "run_manual0002", "incident": ' + text + b"}"
    told = await trainer.post("/internal/runs", content=body, headers=headers)
    assert told.status_code == 200
