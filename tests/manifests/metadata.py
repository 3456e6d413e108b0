"""Names, labels and images. Each problem is one line."""

import re
import tomllib

from tests.manifests.pods import pods
from tests.manifests.rendering import CHECKOUT, Objects, called, of_kind

VERSION = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
LABELS = {"app.kubernetes.io/part-of": "nexus", "app.kubernetes.io/version": VERSION}
OURS = {"alert-bridge", "gateway", "ingest", "mlflow", "rag", "smoke", "trainer", "triton", "ui"}
"""Images that this repository builds."""
_BITNAMI = re.compile("bitnami", re.I)


def unlabelled(objects: Objects) -> list[str]:
    """Objects and pods without the labels that Kubernetes recommends."""
    problems = []
    for one in objects:
        labels = one["metadata"].get("labels", {})
        problems += [f"{called(one)}: has no label {name}" for name in _needed() if name not in labels]
    for pod in pods(objects):
        wanted = [*_needed(), "app.kubernetes.io/name", "app.kubernetes.io/component"]
        problems += [f"{pod.owner}: its pods have no label {name}" for name in wanted if name not in pod.labels]
    return problems


def doubled(objects: Objects) -> list[str]:
    """Objects of one kind and name."""
    seen: set[str] = set()
    problems = []
    for one in objects:
        name = f"{one['apiVersion']} {called(one)} in {one['metadata'].get('namespace')}"
        if name in seen:
            problems.append(f"{name}: is there twice")
        seen.add(name)
    return problems


def in_wrong_namespaces(objects: Objects) -> list[str]:
    """Of an environment, everything lies in its own namespace."""
    own = of_kind(objects, "Namespace")[0]["metadata"]["name"]
    return [
        f"{called(one)}: lies in {one['metadata'].get('namespace')}, not in {own}"
        for one in objects
        if one["kind"] != "Namespace" and one["metadata"].get("namespace") != own
    ]


def wrong_images(objects: Objects) -> list[str]:
    """Ours of another version than the code, ones that nobody builds, ones that may change under their name."""
    problems = []
    for pod in pods(objects):
        for container in pod.containers:
            image = container["image"]
            path, _, tag = image.partition("@")[0].rpartition(":")
            mine = re.search(r"(?:^|/)nexus/([a-z-]+)$", path)
            if "@sha256:" in image:
                continue
            if not path or "/" in tag or tag == "latest":
                problems.append(f"{pod.owner}: {image} has no version")
            elif mine and mine[1] not in OURS:
                problems.append(f"{pod.owner}: nobody builds {image}")
            elif mine and tag != VERSION:
                problems.append(f"{pod.owner}: {image} is not the version of this code, {VERSION}")
    problems += [f"{pod.owner}: {one['image']} is Bitnami's" for pod in pods(objects) for one in pod.containers
                 if _BITNAMI.search(one["image"])]  # fmt: skip
    return problems


def secrets_in_git(objects: Objects) -> list[str]:
    """Secrets that somebody wrote down."""
    return [f"{called(one)}: a secret in git" for one in of_kind(objects, "Secret")]


def by_tag(objects: Objects) -> list[str]:
    """Images that are not named by digest."""
    return [
        f"{pod.owner}: {container['image']}"
        for pod in pods(objects)
        for container in pod.containers
        if "@sha256:" not in container["image"]
    ]


def _needed() -> list[str]:
    return [*LABELS, "app.kubernetes.io/instance", "app.kubernetes.io/managed-by"]
