"""The command line of tritonserver, wherever it is installed."""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nexus_serving.layout import Layout
from nexus_serving.system_triton import SystemTriton
from nexus_serving.triton_environment import TritonEnvironment

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108


class Triton(Protocol):
    """An installed server."""

    @property
    def server(self) -> str:
        """The program."""

    @property
    def backends(self) -> str:
        """The folder of its backends."""

    def variables(self) -> dict[str, str]:
        """The environment that it runs in."""


def installed_triton(layout: Layout) -> Triton:
    """The machine's own server where the layout names one, or else the one that was prepared. Raises SetUpFailed."""
    if layout.system_triton is not None:
        return SystemTriton.find(layout, layout.system_triton)
    return TritonEnvironment.load(layout)


@dataclass(frozen=True)
class Listen:
    """Where tritonserver listens."""

    host: str
    http_port: int
    grpc_port: int
    metrics_port: int

    def taken(self) -> list[int]:
        """Those of the ports that another process listens on."""
        return [port for port in (self.http_port, self.grpc_port, self.metrics_port) if _is_taken(self.host, port)]


def server_command(triton: Triton, repository: Path, listen: Listen, models: list[str]) -> list[str]:
    """tritonserver with only the named models loaded; more can be loaded and unloaded while it runs."""
    return [
        triton.server,
        f"--model-repository={repository}",
        f"--backend-directory={triton.backends}",
        f"--backend-config=python,shm-region-prefix-name={_shared_memory_prefix(listen)}",
        f"--http-address={listen.host}",
        f"--http-port={listen.http_port}",
        f"--grpc-address={listen.host}",
        f"--grpc-port={listen.grpc_port}",
        f"--metrics-address={listen.host}",
        f"--metrics-port={listen.metrics_port}",
        "--model-control-mode=explicit",
        *(f"--load-model={model}" for model in models),
        # A reader that cannot be loaded is said by name, and searching goes on.
        "--exit-on-error=false",
        # Clients look for servers anew now and then, or one that came later would never be asked.
        "--grpc-max-connection-age=300000",
        "--grpc-max-connection-age-grace=120000",
        "--exit-timeout-secs=5",
        "--allow-gpu-metrics=false",
        "--log-format=ISO8601",
    ]


def clear_shared_memory(listen: Listen) -> None:
    """Remove the regions of a server on the same port that was killed; a stopped one leaves none."""
    for region in SHARED_MEMORY.glob(f"{_shared_memory_prefix(listen)}*"):
        region.unlink(missing_ok=True)


def _is_taken(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do it: a port that was just given back is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _shared_memory_prefix(listen: Listen) -> str:
    return f"nexus_triton_{listen.grpc_port}_"
