"""Every secret of a stack: its file's name, where it comes from, and who reads it. Pure: data, and how values derive.

A reader finds its files in a folder of its own, which is its alone. What a user provides under a name wins over what
would be made or derived, so a database or an S3 server of the user's own needs no other setting than its secret.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from provisioning.secret_making import admin_key, password, token, user_name

Values = Mapping[str, str]

READERS: Final[Mapping[str, int]] = {
    "gateway": 10011,
    "rag": 10012,
    "ingest": 10013,  # API and worker
    "trainer": 10014,  # API and worker; Triton runs as the same user, for they share a volume
    "alert-bridge": 10015,
    "ui": 10016,
    "mlflow": 10017,
    "minio": 10018,
    "vllm": 10019,  # apart from the trainer: what it runs is not ours
    "postgres": 0,  # its start script reads the password, then steps down
    "milvus": 0,
    "grafana": 472,
    "prometheus": 65534,
    "alertmanager": 65534,
}
"""Who reads secrets or keeps data, and the user each runs as."""


@dataclass(frozen=True)
class Made:
    """By chance, once. One that the user chose instead has at least so many characters."""

    make: Callable[[], str]
    at_least: int = 16


@dataclass(frozen=True)
class Derived:
    """From other secrets, at every start."""

    derive: Callable[[Values], str]


@dataclass(frozen=True)
class Brought:
    """By the user, or not at all: of a server that is not ours."""


@dataclass(frozen=True)
class Secret:
    """One row."""

    name: str
    origin: Made | Derived | Brought
    readers: tuple[str, ...]


def _secret(name: str, origin: Made | Derived | Brought, readers: str) -> Secret:
    return Secret(name, origin, tuple(readers.split()))


def _same(name: str) -> Derived:
    return Derived(lambda values: values[name])


def _database(name: str) -> Derived:
    return Derived(
        lambda values: f"postgresql+psycopg://nexus:{quote(values['postgres_password'], safe='')}@postgres:5432/{name}"
    )


def _minio_environment(values: Values) -> str:
    """What MINIO_CONFIG_ENV_FILE names. MinIO takes one pair of quotes away; so does a shell.

    The community's server puts `Bearer` before a token that has no scheme, its successor sends what it is told: with
    the scheme said, both send the header that ingest wants. Events wait on the disk while ingest is away: a hundred
    thousand, MinIO's own limit said aloud. Those beyond it are lost, and found again by ingest's reconcile."""
    variables = {
        "MINIO_ROOT_USER": values["minio_root_user"],
        "MINIO_ROOT_PASSWORD": values["minio_root_password"],
        "MINIO_NOTIFY_WEBHOOK_ENABLE_NEXUS": "on",
        "MINIO_NOTIFY_WEBHOOK_ENDPOINT_NEXUS": "http://ingest:8082/events/s3",
        "MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_NEXUS": f"Bearer {values['nexus_events_token']}",
        "MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_NEXUS": "/events",
        "MINIO_NOTIFY_WEBHOOK_QUEUE_LIMIT_NEXUS": "100000",
    }
    return "".join(f"{name}='{value}'\n" for name, value in variables.items())


SECRETS: Final = (
    # between the services
    _secret("nexus_internal_token", Made(token), "gateway rag ingest trainer alert-bridge"),
    _secret("nexus_webhook_token", Made(token), "alert-bridge alertmanager"),
    _secret("nexus_events_token", Made(token), "ingest"),
    # of people
    _secret("nexus_bootstrap_key", Made(admin_key, at_least=24), "gateway"),
    _secret("nexus_api_key", _same("nexus_bootstrap_key"), "ui"),
    _secret("grafana_admin_password", Made(password), "grafana"),
    # PostgreSQL
    _secret("postgres_password", Made(password), "postgres"),
    _secret("nexus_gateway_database_url", _database("gateway"), "gateway"),
    _secret("nexus_rag_database_url", _database("rag"), "rag"),
    _secret("nexus_ingest_database_url", _database("ingest"), "ingest"),
    _secret("nexus_trainer_database_url", _database("trainer"), "trainer"),
    _secret("nexus_alert_bridge_database_url", _database("alert_bridge"), "alert-bridge"),
    _secret("mlflow_backend_store_uri", _database("mlflow"), "mlflow"),
    # MinIO, and who keeps objects in it
    _secret("minio_root_user", Made(user_name, at_least=3), "milvus"),
    _secret("minio_root_password", Made(password), "milvus"),
    _secret("minio.env", Derived(_minio_environment), "minio"),
    _secret("nexus_s3_access_key", _same("minio_root_user"), "ingest"),
    _secret("nexus_s3_secret_key", _same("minio_root_password"), "ingest"),
    _secret("aws_access_key_id", _same("minio_root_user"), "mlflow"),
    _secret("aws_secret_access_key", _same("minio_root_password"), "mlflow"),
    # of servers that are not ours
    _secret("nexus_model_api_key", Brought(), "rag"),
    _secret("nexus_judge_api_key", Brought(), "trainer"),
    _secret("nexus_argo_events_token", Brought(), "alert-bridge"),
    _secret("nexus_milvus_token", Brought(), "rag ingest"),
    _secret("hf_token", Brought(), "trainer vllm"),  # of the Hugging Face hub, for gated models; HF_TOKEN_PATH
)
"""A derived secret comes after what it derives from."""


def of_reader(reader: str, values: Values) -> dict[str, str]:
    """The files of one reader, by name."""
    return {
        secret.name: values[secret.name] for secret in SECRETS if reader in secret.readers and secret.name in values
    }
