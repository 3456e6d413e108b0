"""Does each service understand what its pod tells it? Its own settings are asked. Each problem is one line."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from tests.manifests import promised
from tests.manifests.pods import Pod, pods
from tests.manifests.rendering import Objects, of_kind

SECRETS_FOLDER = "/run/secrets/nexus"
OF_SERVING = {
    "NEXUS_STATE_DIR", "NEXUS_CACHE_DIR", "NEXUS_MODEL", "NEXUS_MODEL_CONTEXT", "NEXUS_MODEL_SLOTS",
    "NEXUS_MODEL_THREADS",
}  # fmt: skip
"""Variables that serving's Layout reads, in Triton and in trainer."""
OTHERS = {
    "triton": OF_SERVING,
    "trainer": OF_SERVING,
    "mlflow": {"NEXUS_ARTIFACTS", "NEXUS_ALLOWED_HOSTS"},
    "smoke": {"NEXUS_URL"},
    "vllm": {"NEXUS_VLLM_MODEL", "NEXUS_VLLM_NAME", "NEXUS_VLLM_GPUS", "NEXUS_VLLM_ENGINE", "NEXUS_MODEL_CONTEXT"},
}
"""Variables that no settings.py names, by the image that reads them."""
_FILES_OF_MLFLOW = {"mlflow_backend_store_uri", "aws_access_key_id", "aws_secret_access_key"}


@cache
def settings_of(image: str) -> type[BaseSettings] | None:
    """The class that reads the environment in an image of ours."""
    if image in ("gateway", "rag", "ingest", "trainer", "alert-bridge", "ui"):
        module = __import__(f"{image.replace('-', '_')}.settings", fromlist=["Settings"])
        settings: type[BaseSettings] = module.Settings
        return settings
    return None


def image_of(container: Mapping[str, Any]) -> str:
    """`gateway` of `registry/nexus/gateway:0.1.0`; what it is called, of an image that is not ours."""
    path = container["image"].partition("@")[0]
    return path.rpartition("/")[2].partition(":")[0] if "nexus/" in path else str(container["name"])


def variables_of(container: Mapping[str, Any], objects: Objects) -> dict[str, str]:
    """As the container sees them."""
    maps = {one["metadata"]["name"]: one.get("data", {}) for one in of_kind(objects, "ConfigMap")}
    told: dict[str, str] = {}
    for source in container.get("envFrom", []):
        told |= maps.get(source.get("configMapRef", {}).get("name"), {})
    for variable in container.get("env", []):
        reference = variable.get("valueFrom", {}).get("configMapKeyRef")
        value = maps.get(reference["name"], {}).get(reference["key"]) if reference else variable.get("value")
        told[variable["name"]] = "" if value is None else value
    return told


def misunderstood_variables(objects: Objects) -> list[str]:
    """Variables of a container's own that its service does not have: it would ignore them without a word."""
    problems = []
    for pod, container in _ours(objects):
        known = _known(image_of(container))
        own = [one["name"] for one in container.get("env", []) if one["name"].startswith("NEXUS_")]
        problems += [f"{pod.owner}: {image_of(container)} has no setting {name}" for name in own if name not in known]
    return problems


def settings_of_nobody(objects: Objects) -> list[str]:
    """What the shared settings say and no service has."""
    known = set().union(*(_known(image_of(container)) for _, container in _ours(objects)))
    return [
        f"ConfigMap/{one['metadata']['name']}: no service has a setting {name}"
        for one in of_kind(objects, "ConfigMap")
        if one["metadata"]["name"].startswith("nexus-settings")
        for name in one["data"]
        if name.startswith("NEXUS_") and name not in known
    ]


def unreadable_settings(objects: Objects) -> list[str]:
    """Services that would not start with what their pods tell them, in variables and in files."""
    problems = []
    for pod, container in _ours(objects):
        settings = settings_of(image_of(container))
        if settings is not None:
            told = variables_of(container, objects)
            problems += [f"{pod.owner}: {one}" for one in _read(settings, told, _files(pod, objects))]
    return problems


def misunderstood_files(objects: Objects) -> list[str]:
    """Secrets, given as files, that nobody in the pod reads."""
    problems = []
    for pod, container in _ours(objects):
        image = image_of(container)
        read = {name.lower() for name in _known(image)} | (_FILES_OF_MLFLOW if image == "mlflow" else set())
        if image == "smoke":
            read = {"nexus_api_key"}
        problems += [f"{pod.owner}: {image} reads no file {name}" for name in _files(pod, objects) if name not in read]
    return problems


def _ours(objects: Objects) -> Iterator[tuple[Pod, dict[str, Any]]]:
    for pod in pods(objects):
        for container in pod.containers:
            if "nexus/" in container["image"] and pod.labels.get("app.kubernetes.io/name") != "prefetch":
                yield pod, container


def _known(image: str) -> set[str]:
    settings = settings_of(image)
    fields = {f"NEXUS_{name.upper()}" for name in settings.model_fields} if settings else set()
    return fields | OTHERS.get(image, set())


def _files(pod: Pod, objects: Objects) -> dict[str, str]:
    """What lies in the secrets' folder. Values are the script's, or made up where a secret store has them."""
    keys, made = promised.secret_keys(objects), promised.made_secrets()
    files = {}
    for volume in pod.volumes.values():
        if volume["name"] != "secrets":
            continue
        for source in volume["projected"]["sources"]:
            name, items = source["secret"]["name"], source["secret"].get("items")
            wanted = keys.get(name, set()) if items is None else {item["key"] for item in items}
            files |= {key: made.get(name, {}).get(key, _made_up(key)) for key in wanted}
    return files


def _made_up(key: str) -> str:
    return "redis://:secret@redis.example.com:6379/0" if key in ("nexus_redis_url", "nexus_broker_url") else "x" * 24


def _read(settings: type[BaseSettings], told: Mapping[str, str], files: Mapping[str, str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        for name, value in files.items():
            (Path(folder) / name).write_text(value)
        with patch.dict(os.environ, {**told, "NEXUS_SECRETS_DIR": folder}, clear=True):
            try:
                settings(_secrets_dir=folder)
            except ValidationError as exc:
                return [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in exc.errors()]
    return []
