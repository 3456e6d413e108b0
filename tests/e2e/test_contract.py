"""What is promised of every service, seen from outside."""

import re

import httpx
import psutil
import pytest

from tests.e2e.clients import Nexus
from tests.e2e.stack import SERVICES, Stack
from tests.e2e.waiting import until

pytestmark = pytest.mark.e2e

APIS = tuple(service for service in SERVICES if service != "ui")
METRICS = {
    "rag": (
        "nexus_answers_total",
        "nexus_answer_duration_seconds",
        "nexus_time_to_first_token_seconds",
        "nexus_generated_tokens_total",
        "nexus_retrieval_duration_seconds",
        "nexus_groundedness",
        "nexus_context_relevance",
        "nexus_answer_relevance",
    ),
    "trainer": (
        "nexus_feedback_total",
        "nexus_runs_total",
        "nexus_gate_decisions_total",
        "nexus_release_info",
        "nexus_run_stage_seconds",
    ),
    "ingest": ("nexus_documents", "nexus_ingest_lag_seconds", "nexus_dead_letters"),
    "ingest-worker": ("nexus_chunks_written_total", "nexus_embeddings_total"),
    "alert-bridge": ("nexus_incidents_total",),
}
"""The names of the contract; alerts and dashboards are built on them."""
SCRAPED = (*SERVICES, "ingest-worker", "trainer-worker", "triton", "mlflow")
_PRIVATE_LABELS = re.compile(r'\b(user|key|key_id|tenant|document|question|conversation_id|answer_id)="')


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_alive_and_ready(stack: Stack, service: str) -> None:
    url = stack.part_url(service)
    assert httpx.get(f"{url}/livez").status_code == 200
    ready = httpx.get(f"{url}/readyz", timeout=10)
    assert ready.status_code == 200, ready.text
    assert set(ready.json()["checks"].values()) <= {"ok"}


@pytest.mark.parametrize("service", APIS)
def test_every_service_documents_itself_with_summaries_and_error_shapes(stack: Stack, service: str) -> None:
    url = stack.part_url(service)
    assert "text/html" in httpx.get(f"{url}/docs").headers["content-type"]
    api = httpx.get(f"{url}/openapi.json").json()
    operations = [
        (path, method, operation)
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "put", "post", "delete", "patch", "head"}
    ]
    assert operations
    assert api["info"]["title"]
    for path, method, operation in operations:
        where = f"{service} {method} {path}"
        assert operation.get("summary"), where
        assert operation.get("tags"), where
        assert re.fullmatch(r"[a-z][a-z0-9_]*", operation["operationId"]), where
    identifiers = [operation["operationId"] for _, _, operation in operations]
    assert len(set(identifiers)) == len(identifiers)


def test_the_gateway_documents_bearer_keys_and_examples(stack: Stack) -> None:
    api = httpx.get(f"{stack.url}/openapi.json").json()
    schemes = api["components"]["securitySchemes"].values()
    assert any(scheme["type"] == "http" and scheme["scheme"] == "bearer" for scheme in schemes)
    assert api["components"]["schemas"]["ChatRequest"]["examples"]
    for path in ("/v1/chat/completions", "/v1/search", "/v1/documents/{key}", "/v1/feedback", "/v1/models"):
        assert path in api["paths"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_counts_what_it_does(stack: Stack, service: str) -> None:
    response = httpx.get(f"{stack.part_url(service)}/metrics")
    assert response.status_code == 200
    assert "nexus_" in response.text


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, names in METRICS.items() for name in names])
def test_metrics_have_the_names_of_the_contract(stack: Stack, part: str, name: str) -> None:
    text = httpx.get(f"{stack.part_url(part)}/metrics").text
    assert re.search(rf"^# TYPE {name} ", text, re.MULTILINE), f"{part} does not have {name}"


@pytest.mark.parametrize("part", [*SERVICES, "ingest-worker", "trainer-worker"])
def test_no_label_names_a_person_a_key_or_a_document(stack: Stack, shelf: Nexus, part: str) -> None:
    text = httpx.get(f"{stack.part_url(part)}/metrics").text
    found = [line for line in text.splitlines() if line.startswith("nexus_") and _PRIVATE_LABELS.search(line)]
    assert not found
    assert shelf.base not in text


def test_prometheus_reaches_every_target(stack: Stack) -> None:
    def all_up() -> bool:
        targets = httpx.get(f"{stack.env['NEXUS_PROMETHEUS_URL']}/api/v1/targets").json()["data"]["activeTargets"]
        up = {target["labels"]["job"]: target["health"] == "up" for target in targets}
        return all(up.values()) and all(up.get(job) for job in SCRAPED)

    until(all_up, "every target up", seconds=60, every=1)


def test_prometheus_has_loaded_the_rules_without_error(stack: Stack) -> None:
    groups = httpx.get(f"{stack.env['NEXUS_PROMETHEUS_URL']}/api/v1/rules").json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules
    assert not [rule["name"] for rule in rules if rule.get("lastError")]


def test_the_env_file_names_every_door(stack: Stack) -> None:
    names = ("", "UI_", "PROMETHEUS_", "ALERTMANAGER_", "MLFLOW_", "TRITON_", "MILVUS_", "RAG_", "INGEST_", "TRAINER_")
    for name in (*names, "ALERT_BRIDGE_"):
        assert stack.env[f"NEXUS_{name}URL"].startswith("http://127.0.0.1:"), name
    assert len(stack.env["NEXUS_API_KEY"]) >= 24


def test_everything_listens_on_loopback_alone(embedded_stack: Stack) -> None:
    ours = {process.pid for process in embedded_stack.processes()}
    addresses = {
        (connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port)  # IPv4 through an IPv6 socket
        for connection in psutil.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN and connection.pid in ours
    }
    assert addresses
    assert {address for address in addresses if not address[0].startswith("127.") and address[0] != "::1"} == set()


@pytest.mark.parametrize("service", APIS)
@pytest.mark.parametrize("path", ["/v1/no-such-thing", "/nothing/here"])
def test_an_unknown_path_answers_in_the_error_shape(stack: Stack, service: str, path: str) -> None:
    response = httpx.get(f"{stack.part_url(service)}{path}")
    assert response.status_code in (401, 404)
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert response.headers["x-request-id"]


def test_a_request_id_is_kept_when_it_is_well_formed_and_made_when_it_is_not(admin: Nexus) -> None:
    kept = admin.http.get("/v1/models", headers={"x-request-id": "my-request.1"})
    assert kept.headers["x-request-id"] == "my-request.1"
    replaced = admin.http.get("/v1/models", headers={"x-request-id": "not well formed"})
    assert re.fullmatch(r"[A-Za-z0-9._-]{16,}", replaced.headers["x-request-id"])


@pytest.mark.parametrize("service", ["rag", "ingest", "trainer", "alert-bridge"])
def test_an_internal_door_opens_to_the_gateway_alone(stack: Stack, service: str) -> None:
    path = {"rag": "/v1/models", "ingest": "/v1/documents", "trainer": "/v1/runs", "alert-bridge": "/v1/incidents"}
    url = f"{stack.part_url(service)}{path[service]}"
    assert httpx.get(url).status_code == 401
    with_the_public_key = httpx.get(url, headers={"authorization": f"Bearer {stack.key}", "x-nexus-tenant": "default"})
    assert with_the_public_key.status_code == 401


def test_operators_see_runs_releases_incidents_dead_letters_and_the_stack(admin: Nexus) -> None:
    for path, field in (
        ("/v1/runs", "runs"),
        ("/v1/releases", "releases"),
        ("/v1/incidents", "incidents"),
        ("/v1/dead-letters", "dead_letters"),
        ("/v1/status", "services"),
    ):
        response = admin.http.get(path)
        assert response.status_code == 200, f"{path}: {response.text}"
        assert field in response.json()
    assert admin.http.get("/v1/runs/run_unknown").status_code == 404
    assert admin.http.get("/v1/releases/rel_unknown").status_code == 404


def test_a_second_make_up_is_a_quick_no_op_and_status_says_all_is_well(embedded_stack: Stack) -> None:
    again = embedded_stack.make("up")
    assert again.returncode == 0, again.stdout + again.stderr
    status = embedded_stack.make("status")
    assert status.returncode == 0
    for part in ("gateway", "rag", "ingest", "triton", "milvus", "redis", "mlflow", "prometheus", "alertmanager", "ui"):
        assert re.search(rf"^\W*{part}\b.*\bready\b", status.stdout, re.MULTILINE), f"{part} in:\n{status.stdout}"
