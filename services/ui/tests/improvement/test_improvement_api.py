"""The operators' client of the gateway: what it sends, and what it makes of what comes back."""

import json

import httpx
import pytest
from ui.errors import Broken, InTheWay
from ui.improvement_api import ImprovementClient

RUN = {"id": "run_1", "status": "queued", "outcome": None, "created_at": "2026-11-21T12:00:00", "target": "reader"}
RELEASE = {"id": "rel_1", "state": "champion", "votes": {"up": 1, "down": 0}, "new_field": 1}


class Gateway:
    """Answers everything with the same body and remembers what it was asked."""

    def __init__(self, body: object, status: int = 200) -> None:
        self.asked: list[tuple[str, str, object]] = []
        self._body, self._status = body, status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content) if request.content else None
        self.asked.append((request.method, request.url.raw_path.decode(), sent))
        if isinstance(self._body, str):
            return httpx.Response(self._status, text=self._body)
        return httpx.Response(self._status, json=self._body)

    def client(self) -> ImprovementClient:
        return ImprovementClient("http://gateway.invalid", "nx_key", transport=httpx.MockTransport(self))


def test_runs_are_read_with_their_stages_and_the_times_are_in_utc():
    stage = {"stage": "gate", "status": "running", "started_at": "2026-11-21T14:00:00+02:00", "says": None}
    gateway = Gateway({"runs": [{**RUN, "stages": [stage]}], "next_cursor": 7})
    page = gateway.client().runs(limit=20)
    assert gateway.asked == [("GET", "/v1/runs?limit=20", None)]
    assert page.next_cursor == 7
    assert page.runs[0].under_way
    assert page.runs[0].created_at == page.runs[0].stages[0].started_at
    assert page.runs[0].stages[0].says == ""


def test_a_verdict_may_lack_numbers():
    check = {
        "name": "gold",
        "passed": False,
        "champion": None,
        "low": None,
        "questions": 0,
        "says": "gold: was not measured",
    }
    gateway = Gateway({**RUN, "verdict": {"decision": "reject", "checks": [check], "reasons": ["…"]}})
    verdict = gateway.client().run("run/1").verdict
    assert gateway.asked == [("GET", "/v1/runs/run%2F1", None)]
    assert verdict is not None
    assert verdict.checks[0].champion is None


def test_a_log_is_plain_text_of_one_stage_or_of_all():
    gateway = Gateway("step 1\n")
    assert gateway.client().run_log("run_1") == "step 1\n"
    gateway.client().run_log("run_1", stage="gate")
    assert [path for _, path, _ in gateway.asked] == ["/v1/runs/run_1/log", "/v1/runs/run_1/log?stage=gate"]


def test_reasons_are_sent_when_there_are_any():
    run, release = Gateway(RUN), Gateway(RELEASE)
    run.client().start_run("New documents.")
    release.client().promote("rel_1", None)
    release.client().roll_back("Worse.")
    assert run.asked == [("POST", "/v1/runs", {"reason": "New documents."})]
    assert release.asked == [
        ("POST", "/v1/releases/rel_1/promote", {}),
        ("POST", "/v1/releases/rollback", {"reason": "Worse."}),
    ]


def test_the_switch_is_turned_with_a_reason():
    gateway = Gateway({"paused": True, "by": "key", "reason": "Why.", "changed_at": "2026-11-21T12:00:00Z"})
    assert gateway.client().set_automation(paused=True, reason="Why.").by == "key"
    assert gateway.asked == [("PUT", "/v1/automation", {"paused": True, "reason": "Why."})]


def test_a_conflict_says_what_stands_in_the_way():
    body = {"error": {"message": "run_1 is under way; one run at a time.", "type": "conflict"}}
    with pytest.raises(InTheWay, match="under way"):
        Gateway(body, 409).client().start_run(None)


@pytest.mark.parametrize("body", [{}, {"runs": [{}]}, {"runs": 3}, "no JSON"])
def test_a_shape_we_do_not_know_is_an_error(body):
    with pytest.raises(Broken):
        Gateway(body).client().runs(limit=1)
