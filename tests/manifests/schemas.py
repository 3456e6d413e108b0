"""Are objects what Kubernetes and the operators understand? Each problem is one line.

Built-in kinds are checked by kubernetes-validate, on the two newest versions that it knows. Custom ones are checked
against their makers' definitions, which lie beside the checkout and not in it; who has none skips that.
"""

import json
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from kubernetes_validate import utils

from tests.manifests.rendering import CHECKOUT, Loader, Manifest, called

DEFINITIONS = CHECKOUT.parent / "shared" / "schemas" / "crds"
VERSIONS = [version.rpartition(".")[0] for version in utils.all_versions()]
VERSIONS = sorted(set(VERSIONS), key=lambda version: [int(part) for part in version.split(".")])[-2:]
UNKNOWN_MAKERS = {"postgresql.cnpg.io", "external-secrets.io"}
"""Groups whose definitions nobody keeps beside the checkout: their objects are only checked for what they mention."""

# Reads a file of many megabytes anew for each object otherwise.
utils.schema_contents = lru_cache(maxsize=None)(utils.schema_contents)


def is_custom(one: Manifest) -> bool:
    """Whether somebody other than Kubernetes defined the kind."""
    group = one["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def problems_of_built_in(one: Manifest, version: str) -> Iterator[str]:
    """What the API server of this version would refuse, unknown keys among it."""
    try:
        kubernetes_validate.validate(one, version, strict=True)
    except kubernetes_validate.ValidationError as exc:
        place = ".".join(str(part) for part in exc.path)
        yield f"{called(one)}: {place}: {exc.message} (Kubernetes {version})"


def problems_of_custom(one: Manifest) -> Iterator[str]:
    """What the operator's definition does not know."""
    for error in validator(one["apiVersion"], one["kind"]).iter_errors(one):
        yield f"{called(one)}: {'.'.join(str(part) for part in error.path)}: {error.message}"


@cache
def validator(api_version: str, kind: str) -> Validator:
    """Of one kind."""
    group, _, version = api_version.partition("/")
    if group == "argoproj.io" and kind in ("EventBus", "EventSource", "Sensor"):
        schema = json.loads((DEFINITIONS / group / "argo-events.schema.json").read_text())
        reference = f"#/definitions/io.argoproj.events.v1alpha1.{kind}"
        return Draft202012Validator({"definitions": _closed(schema["definitions"]), "$ref": reference})
    file = DEFINITIONS / group / f"{kind.lower()}.yaml"
    definition = _load(file)
    schema = next(one for one in definition["spec"]["versions"] if one["name"] == version)["schema"]["openAPIV3Schema"]
    return Draft202012Validator(_closed(schema))


@cache
def _load(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(file.read_text(), Loader)
    return loaded


def _closed(node: Any) -> Any:
    """The API server drops what a definition does not know, without a word; a typing mistake must not pass here."""
    if isinstance(node, list):
        return [_closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    closed = {key: _closed(value) for key, value in node.items()}
    if isinstance(node.get("pattern"), str):
        closed["pattern"] = _portable(node["pattern"])
    opened = "additionalProperties" in node or node.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(node.get("properties"), dict) and node.get("type") == "object" and not opened:
        closed["additionalProperties"] = False
    return closed


def _portable(pattern: str) -> str:
    """Go takes a flag in the middle, Python at the front."""
    return f"(?i){pattern.replace('(?i)', '')}" if "(?i)" in pattern else pattern
