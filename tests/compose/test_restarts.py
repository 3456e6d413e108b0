"""Any container may be killed or taken away: the engine starts it again, and nothing that was acknowledged is lost."""

import pytest

from tests.compose.stack import ComposeStack, run
from tests.e2e.clients import Nexus
from tests.e2e.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1200)]

QUESTION = "How long is the warranty of the Otter 3?"
EVERY_PART = (
    "gateway", "rag", "ingest", "ingest-worker", "trainer", "trainer-worker", "alert-bridge", "ui", "triton", "mlflow",
    "postgres", "redis", "milvus", "minio", "etcd", "prometheus", "alertmanager", "grafana",
)  # fmt: skip


OF_OLDER_SCHEMAS = ("rag", "trainer", "alert-bridge")
DOWNGRADE = """
import sys
from importlib.resources import files
from pathlib import Path
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

name = sys.argv[1].replace("-", "_")
url = Path(f"/run/secrets/nexus/{sys.argv[1]}/nexus_{name}_database_url").read_text().strip()
config = Config()
config.set_main_option("script_location", str(files(f"{name}.migrations")))
with create_engine(url).connect() as connection:
    config.attributes["connection"] = connection
    command.downgrade(config, "-1")
    connection.commit()
"""
FLEET = {
    "Curlew": "1.4", "Dunlin": "2.3", "Egret": "1.9", "Godwit": "2.7", "Fulmar": "3.2", "Plover": "3.6", "Siskin": "0.6"
}  # fmt: skip
QUICK_RUNS = {
    "NEXUS_FEWEST_EXAMPLES": "4",
    "NEXUS_FEWEST_HELD_OUT": "2",
    "NEXUS_TUNING_MOST_STEPS": "2",
    "NEXUS_CANARY_DEADLINE": "PT10S",
    "NEXUS_STAGE_PATIENCE": "PT10S",
}


def all_is_well(client: Nexus) -> bool:
    return client.http.get("/readyz").status_code == 200 and client.http.get("/v1/status").json()["status"] == "ready"


def releases_of(client: Nexus) -> list[tuple[str, str]]:
    return [(one["id"], one["state"]) for one in client.http.get("/v1/releases").json()["releases"]]


def test_every_container_that_is_killed_at_work_comes_back_and_nothing_is_lost(
    containers: ComposeStack, shelf: Nexus, desk: Nexus
) -> None:
    until(lambda: all_is_well(shelf), "all is well before", seconds=90)
    desk.add("before.md", "# Lights\n\nThe lighthouse of Vinga flashes twice.\n")
    answer = desk.ask("How often does the lighthouse of Vinga flash?")
    assert desk.vote(answer.id, "up").status_code == 201
    releases = releases_of(shelf)
    for part in EVERY_PART:
        before = containers.state_of(part)
        assert (
            desk.put(f"{part}.md", f"# {part}\n\nThe password of {part} was changed on the day it died.\n").status_code
            == 202
        )
        containers.kill(part)
        until(lambda part=part, before=before: containers.state_of(part).pid not in (0, before.pid), f"{part} is back")
        containers.wait_until_healthy(part)
        until(lambda: all_is_well(desk), f"all is well after {part}", seconds=120, every=0.5)
        assert "twice" in desk.ask("How often does the lighthouse of Vinga flash?").text, part
    for part in EVERY_PART:
        desk.wait_for(f"{part}.md", "indexed", seconds=90)
    assert desk.vote(answer.id, "down").status_code == 201, "the answer is still known"
    assert releases_of(shelf) == releases


def test_down_and_up_again_keeps_documents_answers_votes_and_keys(containers: ComposeStack, shelf: Nexus) -> None:
    made = shelf.new_key("chat", name="kept over a restart")
    answer = shelf.ask(QUESTION)
    runs = shelf.http.get("/v1/runs").json()
    containers.compose("down")
    assert containers.compose("ps", "--all", "--quiet").strip() == ""
    containers.up()
    with Nexus(shelf.url, made["key"], base=shelf.base) as client:
        assert client.ask(QUESTION).text == answer.text
    assert shelf.vote(answer.id, "up").status_code == 201
    assert shelf.http.get("/v1/runs").json() == runs


def test_up_again_changes_nothing(containers: ComposeStack) -> None:
    before = containers.compose("ps", "--quiet")
    containers.up()
    assert containers.compose("ps", "--quiet") == before


def test_a_newer_version_takes_over_what_an_older_one_has_kept(containers: ComposeStack, shelf: Nexus) -> None:
    """Schemas as they were a version ago, with what stands in them; then every service is made anew of other images."""
    answer = shelf.ask(QUESTION)
    kept = {path: shelf.http.get(path).json() for path in ("/v1/runs", "/v1/incidents")}
    names = {line.split()[1] for line in containers.compose("images").splitlines()[1:] if "nexus/" in line}
    assert len(names) == 9
    containers.compose("stop", *OF_OLDER_SCHEMAS, "trainer-worker")
    for service in OF_OLDER_SCHEMAS:
        containers.compose("run", "--rm", "--no-deps", "-T", service, "python", "-c", DOWNGRADE, service)
    for name in names:
        run("docker", "tag", f"{name}:0.1.0", f"{name}:0.1.1")
    try:
        containers.up(NEXUS_VERSION="0.1.1")
        assert shelf.ask(QUESTION).text == answer.text
        assert shelf.vote(answer.id, "up").status_code == 201
        assert {path: shelf.http.get(path).json() for path in kept} == kept
    finally:
        containers.up()


def test_a_run_goes_on_whoever_it_works_with_is_killed(containers: ComposeStack, desk: Nexus) -> None:
    """Each while the run does what it needs the part for."""
    containers.up(**QUICK_RUNS)
    try:
        desk.add(
            "fleet.md",
            "# The fleet\n\n" + "\n\n".join(f"The {ship} draws {depth} metres." for ship, depth in FLEET.items()),
        )
        users = [desk.with_key(desk.new_key("chat")["key"]) for _ in range(2)]
        for user in users:
            for ship, depth in FLEET.items():
                asked = user.ask(f"What is the draught of the {ship}?")
                assert user.vote(asked.id, "down", correction=f"{depth} metres").status_code == 201
        begun = desk.http.post("/v1/runs")
        assert begun.status_code == 202, begun.text
        path = f"/v1/runs/{begun.json()['id']}"

        def stages() -> list[str]:
            answer = desk.http.get(path)
            return [one["stage"] for one in answer.json()["stages"]] if answer.status_code == 200 else []

        for stage, part in (
            ("retrain-model", "trainer-worker"), ("retrain-model", "redis"), ("benchmark-model-gold", "postgres"),
            ("benchmark-model-specific", "trainer"), ("hallucination-evaluation", "triton"),
        ):  # fmt: skip
            until(lambda stage=stage: stage in stages(), f"the run does {stage}", seconds=600, every=0.5)
            containers.kill(part)
            containers.wait_until_healthy(part)

        def outcome() -> str | None:
            answer = desk.http.get(path)
            return answer.json()["outcome"] if answer.status_code == 200 else None

        ended = until(outcome, "the run ends", seconds=900, every=1)
        assert ended in ("rejected", "promoted", "rolled_back"), desk.http.get(path).json()
    finally:
        containers.up()
