"""Any container may be killed or taken away: the engine starts it again, and nothing that was acknowledged is lost."""

import pytest

from tests.compose.stack import ComposeStack, run
from tests.e2e.clients import Nexus
from tests.e2e.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(420)]

QUESTION = "How long is the warranty of the Otter 3?"
EVERY_PART = (
    "gateway", "rag", "ingest", "ingest-worker", "trainer", "trainer-worker", "alert-bridge", "ui", "triton", "mlflow",
    "postgres", "redis", "milvus", "minio", "etcd", "prometheus", "alertmanager", "grafana",
)  # fmt: skip


def all_is_well(client: Nexus) -> bool:
    return client.http.get("/readyz").status_code == 200 and client.http.get("/v1/status").json()["status"] == "ready"


def releases_of(client: Nexus) -> list[tuple[str, str]]:
    return [(one["id"], one["state"]) for one in client.http.get("/v1/releases").json()["releases"]]


def test_every_container_that_is_killed_comes_back_and_what_was_kept_is_there(
    containers: ComposeStack, shelf: Nexus, desk: Nexus
) -> None:
    until(lambda: all_is_well(shelf), "all is well before", seconds=90)
    desk.add("before.md", "# Lights\n\nThe lighthouse of Vinga flashes twice.\n")
    answer = desk.ask("How often does the lighthouse of Vinga flash?")
    assert desk.vote(answer.id, "up").status_code == 201
    releases = releases_of(shelf)
    for part in EVERY_PART:
        before = containers.state_of(part)
        containers.kill(part)
        until(lambda part=part, before=before: containers.state_of(part).pid not in (0, before.pid), f"{part} is back")
        containers.wait_until_healthy(part)
        until(lambda: all_is_well(desk), f"all is well after {part}", seconds=120, every=0.5)
        assert "twice" in desk.ask("How often does the lighthouse of Vinga flash?").text, part
    assert desk.document("before.md").json()["status"] == "indexed"
    assert desk.vote(answer.id, "down").status_code == 201, "the answer is still known"
    assert releases_of(shelf) == releases
    desk.add("after.md", "# Lights\n\nThe lighthouse of Hallo flashes three times.\n")


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


def test_the_next_image_takes_over_what_the_one_before_has_kept(containers: ComposeStack, shelf: Nexus) -> None:
    """Every service is made anew from another image, as an upgrade does it."""
    answer = shelf.ask(QUESTION)
    ours = [line.split() for line in containers.compose("images").splitlines()[1:]]
    names = {words[1] for words in ours if "nexus/" in words[1]}
    assert len(names) == 9
    for name in names:
        run("docker", "tag", f"{name}:0.1.0", f"{name}:0.1.1")
    containers.upgrade("0.1.1")
    assert shelf.ask(QUESTION).text == answer.text
    assert shelf.vote(answer.id, "up").status_code == 201
