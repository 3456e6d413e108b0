"""A backup brings everything back after every volume is gone, vectors included, which are made again."""

import os
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.compose.stack import ComposeStack, env_of
from tests.e2e.clients import Nexus
from tests.e2e.stack import ROOT
from tests.e2e.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1200)]

QUESTION = "How long is the warranty of the Otter 3?"


def script(containers: ComposeStack, name: str, folder: Path) -> str:
    """What compose/backup.sh or compose/restore.sh prints, of this test's project."""
    environment = {**os.environ, "COMPOSE_ENV_FILES": ",".join(containers.project.env_file or ())}
    done = subprocess.run(
        [str(ROOT / "compose" / name), str(folder)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_after_every_volume_is_gone_a_backup_brings_all_of_it_back(
    containers: ComposeStack, shelf: Nexus, tmp_path: Path
) -> None:
    made = shelf.new_key("chat", "documents", name="kept in a backup")
    answer = shelf.ask(QUESTION)
    assert shelf.vote(answer.id, "up").status_code == 201
    content = shelf.content("staff/holidays.md").content
    releases = [one["id"] for one in shelf.http.get("/v1/releases").json()["releases"]]
    until(lambda: "nexus-answers" in _experiments(containers), "answers are looked at in MLflow", seconds=180, every=1)
    experiments = _experiments(containers)
    folder = tmp_path / "backup"
    script(containers, "backup.sh", folder)
    assert (folder.stat().st_mode & 0o077) == 0, "it holds passwords"

    containers.compose("down", "--volumes")
    script(containers, "restore.sh", folder)

    assert env_of(containers.command_environment["COMPOSE_PROJECT_NAME"])["NEXUS_API_KEY"] == containers.key
    with Nexus(shelf.url, made["key"], base=shelf.base) as client:
        until(lambda: client.chat(QUESTION).status_code == 200, "it answers", seconds=60)
        until(lambda: client.ask(QUESTION).text == answer.text, "vectors are made again", seconds=180, every=1)
        assert client.content("staff/holidays.md").content == content
    assert [one["id"] for one in shelf.http.get("/v1/releases").json()["releases"]] == releases
    assert shelf.vote(answer.id, "down").status_code == 201, "the answer is still known"
    assert _experiments(containers) == experiments


def test_a_backup_that_was_changed_is_refused(containers: ComposeStack, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    script(containers, "backup.sh", folder)
    with (folder / "gateway.dump").open("ab") as file:
        file.write(b"!")
    with pytest.raises(AssertionError, match="not what was saved"):
        script(containers, "restore.sh", folder)


def _experiments(containers: ComposeStack) -> list[str]:
    url = f"{containers.env['NEXUS_MLFLOW_URL']}/api/2.0/mlflow/experiments/search"
    found = httpx.post(url, json={"max_results": 100}, timeout=30).json()
    return sorted(one["name"] for one in found.get("experiments", []))
