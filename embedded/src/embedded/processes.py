"""The stack, part by part. Pure: this is the one place to read or change what `make up` runs."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from embedded.errors import CannotStart
from embedded.secrets_folder import Secrets
from embedded.stack import HOST, Stack
from embedded.variables import EVENTS_TOKEN, JUDGE_KEY, MODEL_KEY, of_the_machine, of_the_services


@dataclass(frozen=True)
class Probe:
    """How to find out that a part can serve: GET a URL, PING a Redis, or connect to a port."""

    kind: str
    port: int
    path: str = ""


@dataclass(frozen=True)
class Part:
    """One supervised process. It is started when all it `needs` are ready, and stopped before them."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    probe: Probe
    url: str
    needs: tuple[str, ...] = ()
    patience_seconds: float = 120.0
    """How long it may take from its start until it is ready."""
    grace_seconds: float = 10.0
    """How long it may take to stop before it is killed."""
    emptied: Path | None = None
    """A folder that must not outlive the process."""


def processes(stack: Stack, secrets: Secrets, *, without: frozenset[str] = frozenset()) -> list[Part]:
    """Every part of the stack, but those left `without` (a service that is run from an editor instead)."""
    parts = [*_stores(stack), *_monitoring(stack), *_services(stack, secrets)]
    if unknown := without - {part.name for part in parts}:
        raise CannotStart(f"There is no part named {', '.join(sorted(unknown))}; see: make status")
    return [part for part in parts if part.name not in without]


def _stores(stack: Stack) -> list[Part]:
    machine = of_the_machine(stack.inherited)
    ports = stack.ports
    redis, milvus, mlflow = stack.state / "redis", stack.state / "milvus", stack.state / "mlflow"
    return [
        Part(
            "redis",
            (
                "redis-server", "--bind", HOST, "--port", str(ports["redis"]), "--dir", str(redis),
                # The broker's tasks must never be evicted, and survive a restart.
                "--maxmemory-policy", "noeviction", "--appendonly", "yes", "--save", "", "--daemonize", "no",
            ),
            machine,
            Probe("redis", ports["redis"]),
            f"redis://{stack.address('redis')}",
        ),
        Part(
            "milvus",
            (_tool("milvus-lite"), "server", "--data-dir", str(milvus), "--host", HOST, "--port", str(ports["milvus"])),
            machine,
            Probe("port", ports["milvus"]),
            stack.url("milvus"),
        ),
        Part(
            "triton",
            (
                sys.executable, str(stack.checkout / "serving" / "launch.py"),
                "--http-port", str(ports["triton"]), "--grpc-port", str(ports["triton-grpc"]),
                "--metrics-port", str(ports["triton-metrics"]),
            ),
            of_the_services(stack),
            Probe("http", ports["triton"], "/v2/health/ready"),
            stack.url("triton"),
            grace_seconds=15.0,
        ),
        Part(
            "mlflow",
            (
                _tool("mlflow"), "server", "--host", HOST, "--port", str(ports["mlflow"]), "--workers", "1",
                "--backend-store-uri", f"sqlite:///{mlflow / 'mlflow.db'}",
                "--artifacts-destination", str(mlflow / "artifacts"),
                "--allowed-hosts", "127.0.0.1:*,localhost:*",
                "--expose-prometheus", str(mlflow / "metrics"),
            ),
            {
                **machine,
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # no consumer processes for jobs that we never send
            },
            Probe("http", ports["mlflow"], "/health"),
            stack.url("mlflow"),
            emptied=mlflow / "metrics",
        ),
    ]  # fmt: skip


def _monitoring(stack: Stack) -> list[Part]:
    machine = of_the_machine(stack.inherited)
    config = stack.state / "monitoring"
    return [
        Part(
            "prometheus",
            (
                "prometheus", f"--config.file={config / 'prometheus.yml'}",
                f"--storage.tsdb.path={stack.state / 'prometheus'}",
                "--storage.tsdb.retention.time=30d", "--storage.tsdb.retention.size=2GB",
                f"--web.listen-address={stack.address('prometheus')}",
            ),
            machine,
            Probe("http", stack.ports["prometheus"], "/-/ready"),
            stack.url("prometheus"),
        ),
        Part(
            "alertmanager",
            (
                "prometheus-alertmanager", f"--config.file={config / 'alertmanager.yml'}",
                f"--storage.path={stack.state / 'alertmanager'}",
                f"--web.listen-address={stack.address('alertmanager')}",
                "--cluster.listen-address=",  # one alone needs no peers, nor their port
            ),
            machine,
            Probe("http", stack.ports["alertmanager"], "/-/ready"),
            stack.url("alertmanager"),
        ),
    ]  # fmt: skip


def _services(stack: Stack, secrets: Secrets) -> list[Part]:
    ours = of_the_services(stack)
    trusted = {**ours, "NEXUS_INTERNAL_TOKEN": secrets.internal_token}
    alert_bridge = {**trusted, "NEXUS_WEBHOOK_TOKEN": secrets.webhook_token, **_brought(stack, EVENTS_TOKEN)}
    return [
        _api(stack, "rag", {**trusted, **_brought(stack, MODEL_KEY)}, needs=("redis", "milvus", "triton")),
        _api(stack, "ingest", trusted, needs=("redis", "milvus")),
        _worker(stack, "ingest", trusted, "-B", needs=("redis", "milvus", "triton")),
        _api(stack, "trainer", trusted, needs=("redis",)),
        _worker(stack, "trainer", {**trusted, **_brought(stack, JUDGE_KEY)}, needs=("redis",)),
        _api(stack, "alert-bridge", alert_bridge, needs=("redis",)),
        _api(stack, "gateway", {**trusted, "NEXUS_BOOTSTRAP_KEY": secrets.admin_key}, needs=("redis",)),
        Part(
            "ui",
            (sys.executable, "-m", "ui"),
            {**ours, "NEXUS_API_KEY": secrets.admin_key},
            Probe("http", stack.ports["ui"], "/readyz"),
            stack.url("ui"),
        ),
    ]


def _brought(stack: Stack, secret: str) -> dict[str, str]:
    """A secret of the caller's, for the one part that needs it."""
    return {secret: stack.inherited[secret]} if secret in stack.inherited else {}


def _api(stack: Stack, name: str, environment: Mapping[str, str], *, needs: tuple[str, ...]) -> Part:
    factory = f"{name.replace('-', '_')}.app:create_app"
    command = (sys.executable, "-m", "uvicorn", "--factory", factory, "--host", HOST, "--port", str(stack.ports[name]))
    return Part(
        name,
        (*command, "--no-access-log", "--timeout-graceful-shutdown", "5"),
        environment,
        Probe("http", stack.ports[name], "/readyz"),
        stack.url(name),
        needs,
    )


def _worker(stack: Stack, service: str, environment: Mapping[str, str], *flags: str, needs: tuple[str, ...]) -> Part:
    name = f"{service}-worker"
    command = (sys.executable, "-m", "celery", "-A", f"{service}.worker:app", "worker", *flags)
    return Part(
        name,
        # Somebody who waits for an answer goes before documents and training; nobody listens to Celery's gossip.
        ("nice", "-n", "10", *command, "-n", f"{name}@%h", "--without-gossip", "--without-mingle"),
        {**environment, "NEXUS_WORKER_METRICS_PORT": str(stack.ports[name])},
        Probe("http", stack.ports[name], "/metrics"),
        stack.url(name),
        needs,
        grace_seconds=20.0,
    )


def _tool(name: str) -> str:
    """A command of our own environment, whatever the PATH says."""
    return str(Path(sys.executable).with_name(name))
