"""Manifests as Kubernetes would get them: rendered by kubectl's kustomize, read as YAML."""

import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
KUBECTL = CHECKOUT / ".nexus" / "tools" / "bin" / "kubectl"
K8S = CHECKOUT / "k8s"
OVERLAYS = sorted(path.parent.name for path in K8S.glob("overlays/*/kustomization.yaml"))
COMPONENTS = sorted(path.parent.name for path in K8S.glob("components/*/kustomization.yaml"))

Manifest = dict[str, Any]
Objects = list[Manifest]


class CannotRender(AssertionError):
    """kustomize's own words."""


class Loader(yaml.CSafeLoader):
    """Reads a bare `=`, which kustomize writes and stock YAML loaders stumble over, as text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:value"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read(text: str) -> Objects:
    """The documents of a YAML text."""
    return [document for document in yaml.load_all(text, Loader) if document is not None]


@cache
def _rendered(folder: Path) -> str:
    if not KUBECTL.exists():
        raise CannotRender("kubectl is not there yet: make manifests")
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRender(f"{folder}: {done.stderr.strip()}")
    return done.stdout


def render(folder: Path) -> Objects:
    """A folder's objects; each caller gets its own, to break as it likes."""
    return read(_rendered(folder))


def overlay(name: str) -> Objects:
    """An environment's objects."""
    return render(K8S / "overlays" / name)


@contextmanager
def combined(components: Sequence[str]) -> Iterator[Path]:
    """A folder with the base and some components, as an overlay would have them."""
    with tempfile.TemporaryDirectory(dir=K8S / "overlays", prefix=".made-by-a-test-") as folder:
        content = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": "nexus-made-by-a-test",
            "labels": [{"pairs": {"app.kubernetes.io/instance": "nexus-made-by-a-test"}, "includeTemplates": True}],
            "resources": ["../../base"],
            "components": [*(f"../../components/{name}" for name in components), "../../everywhere"],
        }
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(content))
        yield Path(folder)


def of_kind(objects: Iterable[Manifest], *kinds: str) -> Objects:
    """Those of some kinds."""
    return [one for one in objects if one["kind"] in kinds]


def named(objects: Iterable[Manifest], kind: str, name: str) -> Manifest:
    """The one of this name."""
    return next(one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name)


def called(one: Manifest) -> str:
    """As people write it: `Deployment/gateway`."""
    return f"{one['kind']}/{one['metadata']['name']}"
