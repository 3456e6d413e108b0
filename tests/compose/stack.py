"""The stack in containers, driven by testcontainers: a project of its own, on ports and volumes of its own."""

import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from testcontainers.compose import DockerCompose

from tests.compose import composition
from tests.e2e.stack import ROOT, Stack, free_offset, read_env_text
from tests.e2e.waiting import until

MINIO = composition.read().with_defaults().services["minio"]["image"]
STAND_IN = "nexus-test/object-store:1"
"""Takes MinIO's place (tests/compose/object_store) where MinIO's image can be neither found nor pulled."""
OURS = "nexus/provisioning:0.1.0"
"""An image that is there whenever there is a stack."""
START_SECONDS = 600
_PORT_VARIABLES: Mapping[str, int] = {
    "NEXUS_GATEWAY_PORT": 8080,
    "NEXUS_RAG_PORT": 8081,
    "NEXUS_INGEST_PORT": 8082,
    "NEXUS_TRAINER_PORT": 8083,
    "NEXUS_ALERT_BRIDGE_PORT": 8084,
    "NEXUS_UI_PORT": 8501,
    "NEXUS_TRITON_PORT": 8000,
    "NEXUS_TRITON_GRPC_PORT": 8001,
    "NEXUS_TRITON_METRICS_PORT": 8002,
    "NEXUS_MLFLOW_PORT": 5000,
    "NEXUS_MILVUS_PORT": 19530,
    "NEXUS_REDIS_PORT": 6379,
    "NEXUS_PROMETHEUS_PORT": 9090,
    "NEXUS_ALERTMANAGER_PORT": 9093,
    "NEXUS_GRAFANA_PORT": 3000,
    "NEXUS_S3_PORT": 9000,
    "NEXUS_S3_CONSOLE_PORT": 9001,
    "NEXUS_INGEST_WORKER_PORT": 9101,
    "NEXUS_TRAINER_WORKER_PORT": 9102,
}
_SERVICE_OF = {"triton-grpc": "triton", "triton-metrics": "triton"}


class ContainerState(NamedTuple):
    """The first process, how often the engine started it again, and what the health check says."""

    pid: int
    restarts: int
    health: str


@dataclass(frozen=True)
class ComposeStack(Stack):
    """A stack whose parts are containers. A part that is killed is started again by the engine."""

    project: DockerCompose

    def compose(self, *arguments: str, seconds: float = 300, **variables: str) -> str:
        """What `docker compose …` of this project prints; AssertionError when it fails."""
        return _compose(self.project, *arguments, seconds=seconds, **variables)

    def up(self, *more: str, **variables: str) -> None:
        """Start what is not running, make anew what is told something else, and wait until all of it is well."""
        self.compose("up", "--detach", "--wait", "--pull", "missing", *more, seconds=START_SECONDS, **variables)

    def run(self, service: str, *command: str, seconds: float = 120) -> str:
        """What a command prints in the running container of a service."""
        return self.compose("exec", "-T", service, *command, seconds=seconds)

    def container(self, service: str) -> str:
        """The id of a service's container."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def volume(self, name: str) -> str:
        """The engine's name of a volume."""
        return f"{self.command_environment['COMPOSE_PROJECT_NAME']}_{name}"

    def state_of(self, service: str) -> ContainerState:
        """How a service's container is, as the engine sees it."""
        about = json.loads(run("docker", "inspect", self.container(service)))[0]
        health = about["State"].get("Health", {}).get("Status", "")
        return ContainerState(about["State"]["Pid"], about["RestartCount"], health)

    def kill(self, part: str) -> int:
        """End a container's first process as a crash would, seen from the engine: not by `docker kill`, after which
        the engine takes it that somebody wanted it gone."""
        pid = self.state_of(_SERVICE_OF.get(part, part)).pid
        # Among the engine's own processes, wherever it runs and whoever asks.
        run("docker", "run", "--rm", "--pid=host", OURS, "sh", "-c", f"kill -KILL {pid}")
        return pid

    def wait_until_healthy(self, service: str, *, seconds: float = 120) -> None:
        """As the image's own health check sees it."""
        until(lambda: self.state_of(service).health == "healthy", f"{service} is well", seconds=seconds, every=0.5)


def start_compose_stack(**settings: str) -> Iterator[ComposeStack]:
    """Start a project with some settings of its own, give it, and take it away with all that it kept."""
    environment = environment_of(**settings)
    with tempfile.TemporaryDirectory(prefix="nexus-compose-") as folder:
        env_file = Path(folder) / "env"
        env_file.write_text("".join(f"{name}={value}\n" for name, value in environment.items()))
        project = DockerCompose(str(ROOT), "compose.yaml", env_file=str(env_file), wait=True)
        try:
            _compose(project, "up", "--detach", "--wait", "--pull", "missing", seconds=START_SECONDS)
            yield ComposeStack(env_of(environment["COMPOSE_PROJECT_NAME"]), None, environment, project)
        finally:
            try:
                _keep_logs(project, environment["COMPOSE_PROJECT_NAME"])
            finally:
                project.stop()


def environment_of(**settings: str) -> dict[str, str]:
    """What `docker compose` is told: a name and ports that nothing else has, and a profile's settings."""
    offset = free_offset()
    profile = _profile_settings(settings["NEXUS_PROFILE"]) if "NEXUS_PROFILE" in settings else {}
    return {
        "COMPOSE_PROJECT_NAME": f"nexus-e2e-{uuid.uuid4().hex[:6]}",
        "COMPOSE_PROFILES": "observability",
        **{name: str(port + offset) for name, port in _PORT_VARIABLES.items()},
        "NEXUS_S3_IMAGE": object_store(),
        "NEXUS_RECONCILE_SECONDS": "10",
        **profile,
        **settings,
    }


@cache
def object_store() -> str:
    """The image of the object store: the one that NEXUS_S3_IMAGE names, MinIO's own, or else the stand-in. What took
    MinIO's name without being it says so in a label."""
    if chosen := os.environ.get("NEXUS_S3_IMAGE"):
        return chosen
    labels = "{{json .Config.Labels}}"
    for command in (["image", "inspect", "--format", labels, MINIO], ["pull", "--quiet", MINIO]):
        done = subprocess.run(["docker", *command], capture_output=True, text=True, timeout=300, check=False)
        if done.returncode == 0:
            return STAND_IN if "stand-in" in done.stdout else MINIO
    return STAND_IN


def env_of(project: str) -> dict[str, str]:
    """A project's doors and its key, as compose/env.sh tells them."""
    return read_env_text(run(str(ROOT / "compose" / "env.sh"), COMPOSE_PROJECT_NAME=project))


def _compose(project: DockerCompose, *arguments: str, seconds: float, **variables: str) -> str:
    return run(*project.compose_command_property, *arguments, seconds=seconds, **variables)


def _profile_settings(profile: str) -> dict[str, str]:
    return read_env_text(run(sys.executable, "-m", "provisioning", "settings", profile))


def _keep_logs(project: DockerCompose, name: str) -> None:
    """The logs outlive the containers, for whoever has to find out why a test failed."""
    kept = ROOT / "bench-results" / "compose-logs"
    kept.mkdir(parents=True, exist_ok=True)
    logs = _compose(project, "logs", "--no-color", "--timestamps", "--tail", "4000", seconds=120)
    (kept / f"{name}.log").write_text(logs)


def run(*command: str, seconds: float = 60, **variables: str) -> str:
    """What a command prints; AssertionError with its last words when it fails."""
    environment = {**os.environ, **variables}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-1000:]}\n{done.stderr[-4000:]}"
    return done.stdout
