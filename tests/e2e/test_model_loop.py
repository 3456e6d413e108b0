"""The model loop, for real: users correct, an alert fires, a better release serves, and it can be taken back."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from demo.gateway import Gateway
from demo.knowledge import Question, questions
from demo.loops import ingest, model_loop
from demo.prometheus import Prometheus
from demo.timeline import Timeline
from tests.e2e.stack import Stack, start_stack
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1800)]

SMALL = {
    "NEXUS_PROFILE": "demo",
    "NEXUS_FEEDBACK_WINDOW": "PT1M",
    "NEXUS_CANARY_DEADLINE": "PT30S",
    "NEXUS_CANARY_ANSWERS": "8",
}
TERMS = ("ledger", "steep", "ambit", "vigil")
SWITCH_SECONDS = 10.0


@pytest.fixture(scope="module")
def demo_stack() -> Iterator[Stack]:
    """A stack with the timing of a demonstration."""
    yield from start_stack(**SMALL)


@pytest.fixture(scope="module")
def admin(demo_stack: Stack) -> Iterator[Gateway]:
    gateway = Gateway(demo_stack.url, demo_stack.key)
    yield gateway
    gateway.close()


def some(split: str) -> list[Question]:
    """The questions about four house terms that the shipped reader hardly ever understands."""
    return [one for one in questions(split) if one.attribute in TERMS]


def test_bad_answers_become_a_better_release_by_themselves(demo_stack: Stack, admin: Gateway) -> None:
    timeline = Timeline()
    with ExitStack() as stack:
        users = [Gateway(demo_stack.url, admin.make_key(f"user {number}")) for number in range(3)]
        prometheus = Prometheus(demo_stack.env["NEXUS_PROMETHEUS_URL"])
        for one in (*users, prometheus):
            stack.callback(one.close)
        ingest(admin, timeline)
        first = admin.ask("How long is the warranty on the Curlew?").release
        before, after = model_loop(admin, users, prometheus, some("users"), some("held_out"), timeline)
        assert after.share > before.share, "the questions that nobody corrected are answered better"
        releases = {one["id"]: one for one in admin.get("/v1/releases")["releases"]}
        (champion,) = [name for name, one in releases.items() if one["alias"] == "champion"]
        assert champion != first
        assert admin.ask("How long is the warranty on the Curlew?").release == champion
        assert _shown_in_mlflow(demo_stack, champion)
        _back_and_forth(demo_stack, admin, champion, first)


def _shown_in_mlflow(stack: Stack, champion: str) -> bool:
    """The registered model's alias is the champion's, as soon as the worker has told MLflow."""
    url = f"{stack.env['NEXUS_MLFLOW_URL']}/api/2.0/mlflow/registered-models/alias"

    def told() -> bool:
        said = httpx.get(url, params={"name": "nexus-release", "alias": "champion"})
        tags = said.json().get("model_version", {}).get("tags", []) if said.status_code == 200 else []
        return any(tag == {"key": "nexus.release", "value": champion} for tag in tags)

    return until(told, "MLflow knows the champion", seconds=60)


def _back_and_forth(stack: Stack, admin: Gateway, champion: str, first: str) -> None:
    """A rollback and a promotion by hand each take effect within seconds, and are in the audit."""
    for path, body, wanted in (
        ("/v1/releases/rollback", {"reason": "to see"}, first),
        (f"/v1/releases/{champion}/promote", {"reason": "seen"}, champion),
    ):
        began = time.monotonic()
        headers = {"authorization": f"Bearer {stack.key}"}
        assert httpx.post(stack.url + path, json=body, headers=headers, timeout=30).status_code == 200
        until(lambda wanted=wanted: admin.ask("What is the Curlew?").release == wanted, "it answers", seconds=30)
        assert time.monotonic() - began < SWITCH_SECONDS
    history = admin.get(f"/v1/releases/{champion}")["history"]
    assert [(one["after"], one["why"]) for one in history][-2:] == [
        ("retired", history[-2]["why"]),
        ("champion", "seen"),
    ]
    assert "to see" in history[-2]["why"]
