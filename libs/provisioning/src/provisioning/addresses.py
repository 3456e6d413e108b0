"""Where every part listens. The ports are a contract: the same in each way to run Nexus."""

from collections.abc import Mapping
from typing import Final

PORTS: Final[Mapping[str, int]] = {
    "redis": 6379,
    "milvus": 19530,
    "triton": 8000,
    "triton-grpc": 8001,
    "triton-metrics": 8002,
    "mlflow": 5000,
    "prometheus": 9090,
    "alertmanager": 9093,
    "gateway": 8080,
    "rag": 8081,
    "ingest": 8082,
    "trainer": 8083,
    "alert-bridge": 8084,
    "ui": 8501,
    "ingest-worker": 9101,
    "trainer-worker": 9102,
}


def by_service_name() -> dict[str, str]:
    """host:port of each door where a part's host is its name, as in Compose. Triton has three doors on one host."""
    return {door: f"{'triton' if door.startswith('triton') else door}:{port}" for door, port in PORTS.items()}
