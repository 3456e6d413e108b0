"""How MLflow's server is started: its command line and environment."""

from collections.abc import Mapping
from pathlib import Path

STORE = "MLFLOW_BACKEND_STORE_URI"
SECRETS = (STORE, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""Each may be given as a variable, or as a file of that name in lower case."""
_METRICS = "/tmp/mlflow-metrics"  # noqa: S108 - the container's own, and must not outlive the server


class NotConfigured(Exception):
    """Something that the server needs is missing; the message says what to do."""


def environment(given: Mapping[str, str], secrets: Path) -> dict[str, str]:
    """The server's variables: those given, with the secrets that lie in files. Raises NotConfigured."""
    filed = {name: (secrets / name.lower()).read_text().strip() for name in SECRETS if _lies(secrets / name.lower())}
    variables = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # no consumer processes for jobs that we never send
        **filed,
        **given,
    }
    if STORE not in variables:
        raise NotConfigured(f"{STORE} is missing: set it, or put it into {secrets / STORE.lower()}")
    return variables


def artifacts(variables: Mapping[str, str]) -> str:
    """Where artifacts are kept."""
    return variables.get("NEXUS_ARTIFACTS") or "s3://mlflow"


def command(variables: Mapping[str, str]) -> list[str]:
    """The command line. The store's address is not on it: it may hold a password, and command lines are public."""
    return [
        "mlflow", "server", "--host", "0.0.0.0", "--port", "5000", "--workers", "1",
        "--artifacts-destination", artifacts(variables),
        # MLflow answers to the names that it knows of, and to no other.
        "--allowed-hosts", variables.get("NEXUS_ALLOWED_HOSTS", "mlflow:5000,127.0.0.1:*,localhost:*"),
        "--expose-prometheus", _METRICS,
    ]  # fmt: skip


def _lies(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
