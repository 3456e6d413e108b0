"""Argo's own definitions of its kinds, closed, so that a misspelt key is found: the API server drops it silently."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

DEFINITIONS = Path(__file__).resolve().parents[3] / "shared" / "schemas" / "crds" / "argoproj.io"
FILES = {"WorkflowTemplate": "workflowtemplate", "CronWorkflow": "cronworkflow", "Workflow": "workflow"}
EVENTS = ("EventBus", "EventSource", "Sensor")


def schema_flaws(manifest: dict[str, Any]) -> list[str]:
    """Where a manifest is not as its kind is defined."""
    found = _validator(manifest["kind"]).iter_errors(manifest)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


@cache
def _validator(kind: str) -> Draft202012Validator:
    if kind in EVENTS:
        schema = json.loads((DEFINITIONS / "argo-events.schema.json").read_text())
        reference = f"#/definitions/io.argoproj.events.v1alpha1.{kind}"
        return Draft202012Validator({"definitions": _closed(schema["definitions"]), "$ref": reference})
    definition = yaml.load((DEFINITIONS / f"{FILES[kind]}.yaml").read_text(), yaml.CSafeLoader)
    (version,) = [one for one in definition["spec"]["versions"] if one["name"] == "v1alpha1"]
    return Draft202012Validator(_closed(version["schema"]["openAPIV3Schema"]))


def _closed(schema: Any) -> Any:
    """Unknown keys are refused wherever keys are listed, but in metadata and in what is meant to be open."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    closed = {name: _closed(part) for name, part in copy.copy(schema).items()}
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and not is_open and schema.get("type", "object") == "object":
        closed["additionalProperties"] = False
    return closed
