"""What the parts are told through the environment. Pure: values in, variables out."""

from collections.abc import Mapping

from embedded.secrets_folder import Secrets
from embedded.stack import Stack

_SERVICE_DATABASES = ("gateway", "rag", "ingest", "trainer", "alert-bridge")
_PUBLISHED_URLS = {
    "NEXUS_UI_URL": "ui",
    "NEXUS_PROMETHEUS_URL": "prometheus",
    "NEXUS_ALERTMANAGER_URL": "alertmanager",
    "NEXUS_MLFLOW_URL": "mlflow",
    "NEXUS_TRITON_URL": "triton",
    "NEXUS_MILVUS_URL": "milvus",
    "NEXUS_RAG_URL": "rag",
    "NEXUS_INGEST_URL": "ingest",
    "NEXUS_TRAINER_URL": "trainer",
    "NEXUS_ALERT_BRIDGE_URL": "alert-bridge",
}
MODEL_KEY = "NEXUS_MODEL_API_KEY"
"""A secret that the caller brings: of the server that NEXUS_MODEL names."""
JUDGE_KEY = "NEXUS_JUDGE_API_KEY"
"""Another: of the server that NEXUS_JUDGE names."""
EVENTS_TOKEN = "NEXUS_ARGO_EVENTS_TOKEN"
"""Another: of the event source that alert-bridge hands runs over to, when the caller has one."""
_SECRET_NAMES = (
    "NEXUS_INTERNAL_TOKEN",
    "NEXUS_API_KEY",
    "NEXUS_BOOTSTRAP_KEY",
    "NEXUS_WEBHOOK_TOKEN",
    MODEL_KEY,
    JUDGE_KEY,
    EVENTS_TOKEN,
)


def published(stack: Stack, secrets: Secrets) -> dict[str, str]:
    """The content of `.nexus/env`: what people, scripts and tests need to use the stack."""
    urls = {variable: stack.url(part) for variable, part in _PUBLISHED_URLS.items()}
    return {"NEXUS_URL": stack.url("gateway"), "NEXUS_API_KEY": secrets.admin_key, **urls}


def as_env_file(variables: Mapping[str, str]) -> str:
    """One NAME=value a line."""
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def of_the_machine(inherited: Mapping[str, str]) -> dict[str, str]:
    """What programs that are not ours get: the caller's environment without our settings, and without what would bend
    our Python (a PYTHONPATH, or PYTHONDONTWRITEBYTECODE, which makes every start compile everything again)."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith(("NEXUS_", "PYTHON")) and name not in {"VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    # The parts speak to each other on loopback; a proxy of the machine has no business there.
    loopback = ["127.0.0.1", "localhost"]
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = ",".join([*filter(None, [kept.get(name)]), *loopback])
    # Many small products, never one large: threads for them only spin on the cores that others need. A search of 10,000
    # chunks costs Milvus Lite 24 ms of processor time so, and 55 otherwise.
    return {"OPENBLAS_NUM_THREADS": "1", **kept, "PYTHONUNBUFFERED": "1"}


def of_the_services(stack: Stack) -> dict[str, str]:
    """What every part of ours gets: settings of the profile, those the caller gave, and where everything is. No
    secret."""
    given = {
        name: value
        for name, value in stack.inherited.items()
        if name.startswith("NEXUS_") and name not in _SECRET_NAMES
    }
    databases = {
        f"NEXUS_{service.replace('-', '_').upper()}_DATABASE_URL": f"sqlite:///{stack.databases / service}.db"
        for service in _SERVICE_DATABASES
    }
    return {
        **of_the_machine(stack.inherited),
        "NEXUS_STORE": "folder",
        "NEXUS_STORE_FOLDER": str(stack.documents),
        "NEXUS_MILVUS_SEARCHES": "1",  # Milvus Lite is one Python process
        **stack.profile.settings,
        **given,
        **{variable: stack.url(part) for variable, part in _PUBLISHED_URLS.items()},
        **databases,
        "NEXUS_URL": stack.url("gateway"),
        "NEXUS_PROFILE": stack.profile.name,
        "NEXUS_STATE_DIR": str(stack.state),
        "NEXUS_RUNS_FOLDER": str(stack.state / "runs"),
        "NEXUS_RELEASES_FOLDER": str(stack.state / "releases"),
        "NEXUS_CACHE_DIR": str(stack.cache),
        "NEXUS_REDIS_URL": f"redis://{stack.address('redis')}/0",
        "NEXUS_BROKER_URL": f"redis://{stack.address('redis')}/1",
        "NEXUS_TRITON_GRPC": stack.address("triton-grpc"),
        "MLFLOW_DISABLE_TELEMETRY": "true",  # its client would tell its makers what it is used for
        "NEXUS_MILVUS_FLUSH": "true",  # Milvus Lite scans rows that are not flushed
        "NEXUS_UI_PORT": str(stack.ports["ui"]),
    }
