"""What is wrong is said in one line that names it; what was there stays as it was."""

import os
import platform
import socket
import struct
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.conftest import engine_missing
from tests.compose.stack import ComposeStack, run
from tests.e2e.stack import ROOT

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]


class Project:
    """A project of which little is started."""

    def __init__(self, **variables: str) -> None:
        self.name = f"nexus-bad-{uuid.uuid4().hex[:6]}"
        self.variables = {"COMPOSE_PROJECT_NAME": self.name, **variables}

    def said(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """The exit status of `docker compose …`, and all that it printed."""
        told = {**os.environ, **self.variables, **variables}
        done = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=ROOT,
            env=told,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project() -> Iterator[Project]:
    if reason := engine_missing():
        pytest.skip(reason)
    made = Project()
    yield made
    made.said("down", "--volumes", "--timeout", "1")


def test_a_secret_that_is_neither_provided_nor_made_is_named(project: Project) -> None:
    status, said = project.said("run", "--rm", "provisioning", NEXUS_GENERATE_SECRETS="no")
    assert status != 0
    (line,) = [line for line in said.splitlines() if "nexus_internal_token" in line]
    assert "NEXUS_GENERATE_SECRETS" in line
    assert "Traceback" not in said


def test_a_weak_secret_is_refused_by_name_and_never_shown(project: Project, tmp_path: Path) -> None:
    (tmp_path / "nexus_bootstrap_key").write_text("hunter2")
    status, said = project.said("run", "--rm", "provisioning", NEXUS_SECRETS=str(tmp_path))
    assert status != 0
    assert "nexus_bootstrap_key" in said
    assert "hunter2" not in said


def test_volumes_that_a_newer_version_has_written_are_left_alone(project: Project) -> None:
    status, said = project.said("run", "--rm", "provisioning")
    assert status == 0, said
    script = "from pathlib import Path; Path('/secrets/version').write_text('99.0.0')"
    status, said = project.said("run", "--rm", "provisioning", "python", "-c", script)
    assert status == 0, said
    status, said = project.said("run", "--rm", "provisioning")
    assert status != 0
    (line,) = [line for line in said.splitlines() if "99.0.0" in line]
    assert "backup" in line or "start" in line


def test_a_database_of_another_postgresql_is_said_before_postgresql_is_started(project: Project) -> None:
    status, said = project.said("run", "--rm", "provisioning")
    assert status == 0, said
    run("docker", "run", "--rm", "-v", f"{project.name}_postgres:/data", "python:3.11-slim-bookworm",
        "sh", "-c", "echo 13 > /data/PG_VERSION")  # fmt: skip
    status, said = project.said("run", "--rm", "provisioning")
    assert status != 0
    (line,) = [line for line in said.splitlines() if "13" in line]
    assert "PostgreSQL" in line


def test_a_port_that_is_taken_is_named(project: Project) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        status, said = project.said("up", "--detach", "--pull", "never", "redis", NEXUS_REDIS_PORT=str(port))
    assert status != 0
    assert any(str(port) in line and "in use" in line for line in said.splitlines()), said


def test_an_image_of_another_architecture_says_so(project: Project, tmp_path: Path) -> None:
    """As it does in the table of troubles. The image holds the first bytes of programs for another processor."""
    machine = 183 if platform.machine() == "x86_64" else 62  # of ELF: AArch64, x86-64
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, 0, 0, 0, 0, 64, 56, 0, 0, 0, 0
    )
    (tmp_path / "python").write_bytes(header.ljust(4096, b"\0"))
    (tmp_path / "python").chmod(0o755)
    (tmp_path / "Dockerfile").write_text(
        'FROM scratch\nCOPY python /bin/sh\nCOPY python /bin/python\nENTRYPOINT ["/bin/python"]\n'
    )
    run("docker", "build", "--quiet", "--tag", "elsewhere/nexus/provisioning:0.1.0", str(tmp_path))
    status, said = project.said("run", "--rm", "provisioning", NEXUS_REGISTRY="elsewhere/")
    assert status != 0
    assert "exec format error" in said.lower()


def test_a_service_that_lacks_its_token_ends_with_a_line_that_says_where_it_belongs(project: Project) -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", "nexus/alert-bridge:0.1.0"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "NEXUS_INTERNAL_TOKEN is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stack_that_was_left_half_started_goes_on_where_it_stopped(containers: ComposeStack) -> None:
    containers.compose("kill", "rag", "ui", "trainer-worker")
    containers.compose("rm", "--force", "ui")
    containers.up()
    for service in ("rag", "ui", "trainer-worker"):
        assert containers.state_of(service).health == "healthy"
