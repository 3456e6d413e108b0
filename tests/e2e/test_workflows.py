"""The workflows of k8s/argo for real: the commands of their steps on a stack, from an event to its last effect.

There is no worker for documents: what is searchable here, a workflow made so.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from tests.e2e.argo_events import TOKEN, EventSource, event_source
from tests.e2e.clients import Nexus
from tests.e2e.stack import ROOT, Stack, only_without_containers, start_stack
from tests.e2e.waiting import until
from tests.manifests.argo_objects import argo_objects, workflow_templates
from tests.manifests.argo_processes import Processes
from tests.manifests.argo_runner import Runner, Workflow
from tests.manifests.argo_sensors import workflows_of
from tests.manifests.rendering import named

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

DRAUGHTS = {
    "Curlew": "1.4",
    "Dunlin": "2.3",
    "Egret": "1.9",
    "Godwit": "2.7",
    "Fulmar": "3.2",
    "Plover": "3.6",
    "Siskin": "0.6",
}
"""By ship. What is kept apart to measure on follows from the fact itself: of these it is the last three."""
FLEET = "# The fleet\n\n" + "\n\n".join(
    f"## {ship}\n\nThe {ship} has a draught of {metres} metres." for ship, metres in DRAUGHTS.items()
)
SMALL = {
    "NEXUS_FEWEST_EXAMPLES": "4",
    "NEXUS_FEWEST_HELD_OUT": "2",
    "NEXUS_TUNING_MOST_STEPS": "1",
    "NEXUS_CANARY_DEADLINE": "PT10S",
    "OMP_NUM_THREADS": "1",  # two threads wait for each other where others want the processors, too
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""A run that is over soon, whatever it learns."""


@pytest.fixture(scope="module")
def orders() -> Iterator[EventSource]:
    with event_source() as source:
        yield source


@pytest.fixture(scope="module")
def stack(orders: EventSource) -> Iterator[Stack]:
    """alert-bridge orders through Argo Events, and nobody but workflows works on documents."""
    only_without_containers("the steps of its workflows are processes here, beside the stack's")
    yield from start_stack(
        WITHOUT="ingest-worker",
        NEXUS_RUN_STARTER="argo-events",
        NEXUS_ARGO_EVENTS_URL=orders.url,
        NEXUS_ARGO_EVENTS_TOKEN=TOKEN,
        NEXUS_RUN_COOLDOWN="PT0S",
    )


@pytest.fixture(scope="module")
def nexus(stack: Stack) -> Iterator[Nexus]:
    with Nexus(stack.url, stack.key) as client:
        yield client


def environment_of(stack: Stack, part: str) -> dict[str, str]:
    """What ConfigMap and Secret would say to a pod, as the part's own process was told it."""
    return dict(until(lambda: stack.process(part), f"{part} runs").environ())


@pytest.fixture
def run(stack: Stack, tmp_path: Path) -> Callable[..., Workflow]:
    """Run a workflow in processes on the stack. A test has no minutes to wait for another try."""
    state = stack.state
    assert state is not None
    claims = {"serving": state, "runs": state / "runs", "models": Path(stack.command_environment["NEXUS_CACHE_DIR"])}

    def started(template: str, *, part: str, settings: dict[str, str] | None = None, **parameters: str) -> Workflow:
        told = {**environment_of(stack, part), **(settings or {})}
        runner = Runner(
            workflow_templates(argo_objects()),
            Processes(told, claims, ROOT),
            tmp_path,
            pause=lambda seconds: time.sleep(min(seconds, 2)),
        )
        made = {name.replace("_", "-"): value for name, value in parameters.items()}
        entrypoint = made.pop("entrypoint", None)
        name = made.pop("name", f"{template}-{time.monotonic_ns()}")
        return runner.run(template, made, entrypoint=entrypoint, name=name)

    return started


def said(workflow: Workflow) -> str:
    """What its steps said, for whoever has to find out why."""
    return "\n".join(f"{log.parent.name}:\n{log.read_text()[-1500:]}" for log in sorted(workflow.folder.glob("*/log")))


def happened(key: str) -> dict:
    """The event of MinIO's event source."""
    record = {"s3": {"bucket": {"name": "nexus"}, "object": {"key": quote_plus(key)}}}
    return {"notification": [record]}


def ingested(run: Callable[..., Workflow], event: str, key: str) -> Workflow:
    """The workflow that the sensor makes of an event, run to its end."""
    (made,) = workflows_of(named(argo_objects(), "Sensor", "documents"), event, happened(key))
    (parameter,) = made["spec"]["arguments"]["parameters"]
    template = made["spec"]["workflowTemplateRef"]["name"]
    return run(template, part="ingest", entrypoint=made["spec"]["entrypoint"], object=parameter["value"])


class TestADocument:
    """In the order of a document's life."""

    KEY = "ships/the fleet+more.md"
    QUESTION = "What is the draught of the Egret?"

    def put(self, stack: Stack, nexus: Nexus, text: str | bytes) -> str:
        response = nexus.put(self.KEY, text)
        assert response.status_code == 202, response.text
        return f"default/default/{self.KEY}"

    def test_that_comes_is_loaded_embedded_indexed_and_answers(self, stack, nexus, run):
        done = ingested(run, "created", self.put(stack, nexus, FLEET))
        assert done.status == "Succeeded", said(done)
        assert done.node("ingest-vectors").parameters == {"state": "indexed"}
        assert nexus.document(self.KEY).json()["status"] == "indexed"
        answer = nexus.ask(self.QUESTION)
        assert "1.9 metres" in answer.text
        assert answer.citations[0]["document"] == self.KEY

    def test_that_is_told_of_twice_is_done_once(self, run):
        done = ingested(run, "created", f"default/default/{self.KEY}")
        assert done.status == "Succeeded", said(done)
        assert done.node("load-document").parameters == {"state": "nothing"}
        assert (done.phases["create-vectors"], done.phases["ingest-vectors"]) == ("Skipped", "Omitted")

    def test_that_is_broken_is_a_dead_letter_after_one_try_and_the_old_one_answers(self, stack, nexus, run):
        done = ingested(run, "created", self.put(stack, nexus, b"\0\0\0"))
        assert done.status == "Failed"
        assert done.node("load-document").codes == [65]
        assert nexus.document(self.KEY).json()["status"] == "failed"
        assert "1.9 metres" in nexus.ask(self.QUESTION).text

    def test_that_changes_is_answered_from_anew(self, stack, nexus, run):
        done = ingested(run, "created", self.put(stack, nexus, FLEET.replace("1.9", "2.2")))
        assert done.status == "Succeeded", said(done)
        assert "2.2 metres" in nexus.ask(self.QUESTION).text

    def test_that_goes_is_found_no_more(self, nexus, run):
        assert nexus.delete(self.KEY).status_code == 202
        done = ingested(run, "removed", f"default/default/{self.KEY}")
        assert done.node("remove-document").parameters == {"state": "removed"}, said(done)
        assert nexus.search(self.QUESTION) == []


def test_reconcile_finds_nothing_to_repair_after_all_that(run):
    done = run("reconcile-documents", part="ingest")
    assert done.status == "Succeeded", said(done)
    assert "0 documents to rebuild, 0 orphans removed" in said(done)


class TestARetraining:
    """In the order of alerts."""

    @pytest.fixture(scope="class")
    def users(self, stack: Stack, nexus: Nexus) -> list[Nexus]:
        return [nexus.with_key(nexus.new_key("chat")["key"]) for _ in range(2)]

    def ordered(self, stack: Stack, orders: EventSource, number: int) -> dict:
        """The workflow that the sensor makes of the order that follows an alert."""
        before = len(orders.events)
        self.alert(stack, number)
        until(lambda: len(orders.events) > before, "alert-bridge orders a run")
        assert len(orders.events) == before + 1, "one order for one incident, however often it is told"
        return self.made_of(orders.events[-1])

    def made_of(self, event: Mapping[str, Any]) -> dict:
        (made,) = workflows_of(named(argo_objects(), "Sensor", "retraining"), "retraining", event)
        return made

    def alert(self, stack: Stack, number: int) -> None:
        """As Alertmanager tells of it, twice."""
        labels = {"alertname": "NexusAnswerQualityLow", "severity": "warning", "nexus_action": "retrain"}
        alert = {
            "status": "firing",
            "labels": labels,
            "annotations": {"summary": 'Many answers get "down" {{ $value }} %.'},
            "startsAt": datetime.now(UTC).isoformat(),
            "fingerprint": f"{number:016x}",
        }
        token = environment_of(stack, "alert-bridge")["NEXUS_WEBHOOK_TOKEN"]
        for _ in range(2):
            response = httpx.post(
                f"{stack.part_url('alert-bridge')}/webhooks/alertmanager",
                json={"version": "4", "alerts": [alert]},
                headers={"authorization": f"Bearer {token}"},
            )
            assert response.status_code == 200, response.text

    def retrain(self, run: Callable[..., Workflow], made: dict, **changes: str) -> Workflow:
        given = {one["name"].replace("-", "_"): one["value"] for one in made["spec"]["arguments"]["parameters"]}
        template = made["spec"]["workflowTemplateRef"]["name"]
        return run(template, part="trainer", settings=SMALL, name=made["metadata"]["name"], **(given | changes))

    def incident(self, nexus: Nexus) -> dict:
        return nexus.http.get("/v1/incidents").json()["incidents"][0]

    def test_without_votes_ends_where_there_is_nothing_to_learn_from(self, stack, nexus, orders, run):
        done = self.retrain(run, self.ordered(stack, orders, 1))
        assert done.status == "Succeeded", said(done)
        assert done.node("prepare-data").parameters == {"outcome": "no_data"}
        assert done.phases["retrain-model"] == "Skipped"
        assert done.phases["model-deployment"] == "Omitted"
        incident = self.incident(nexus)
        assert (incident["decision"], incident["run_outcome"]) == ("started", "no_data")

    @pytest.mark.long
    @pytest.mark.timeout(1800)
    def test_of_corrected_answers_goes_through_the_stages_to_the_gate(self, stack, nexus, orders, run, users):
        nexus.put("fleet.md", FLEET)
        assert ingested(run, "created", "default/default/fleet.md").status == "Succeeded"
        for user in users:
            for ship, metres in DRAUGHTS.items():
                answer = user.ask(f"What is the draught of the {ship}?")
                assert user.vote(answer.id, "down", correction=f"{metres} metres").status_code == 201
        made = self.ordered(stack, orders, 2)
        done = self.retrain(run, made)
        told = nexus.http.get(f"/v1/runs/{made['spec']['arguments']['parameters'][0]['value']}").json()
        assert done.status == "Succeeded", said(done)
        assert told["outcome"] in ("rejected", "promoted", "rolled_back"), told
        stages = {stage["stage"]: stage for stage in told["stages"]}
        assert list(stages)[:9] == [
            *("prepare-data", "retrain-model", "benchmark-model-gold", "benchmark-model-specific"),
            *("hallucination-evaluation", "factcheck-evaluation", "subject-matter-evaluation", "log-model-metrics"),
            "gate",
        ]
        assert {stage["attempts"] for stage in stages.values()} == {1}, "trainer's worker kept off"
        assert self.incident(nexus)["run_outcome"] == told["outcome"]
        kept = done.folder / "artifacts" / "retraining" / told["id"]
        assert "html" in (kept / "data/report.html").read_text()
        assert (kept / "evaluation/verdict.json").exists()
        log = nexus.http.get(f"/v1/runs/{told['id']}/log", params={"stage": "gate"})
        assert "gate (attempt 1)" in log.text

    def test_again_joins_the_run_that_is_over(self, orders, run):
        done = self.retrain(run, self.made_of(orders.events[-1]))
        assert done.status == "Succeeded", said(done)
        assert done.phases["prepare-data"] == "Skipped"

    def test_that_breaks_off_is_told_as_failed(self, stack, nexus, orders, run):
        done = self.retrain(run, self.ordered(stack, orders, 3), order="{no order}")
        assert done.status == "Failed"
        assert done.node("accept").codes == [1]
        assert self.incident(nexus)["run_outcome"] == "failed"
