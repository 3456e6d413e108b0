"""Workflow templates as the controller reads them: defaults put in, references found and replaced."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.manifests.argo_expressions import Unsupported

Manifest = Mapping[str, Any]

TAG = re.compile(r"\{\{(=?)\s*([^{}]*?)\s*\}\}")
KINDS = ("container", "dag", "steps", "resource")
"""What a template may be, of the kinds that are known here."""
_MERGED_BY = {"env": "name", "volumeMounts": "mountPath", "ports": "containerPort", "volumes": "name"}


def specs_of(manifest: Manifest) -> Manifest:
    """The workflow's spec within a WorkflowTemplate or CronWorkflow."""
    spec: Manifest = manifest["spec"]
    return spec["workflowSpec"] if manifest["kind"] == "CronWorkflow" else spec


def templates_of(spec: Manifest) -> dict[str, Manifest]:
    """The templates by name, each with the defaults that apply to its kind."""
    return {
        template["name"]: _with_defaults(template, spec.get("templateDefaults", {})) for template in spec["templates"]
    }


def kind_of(template: Manifest) -> str:
    """Whether it is a container, a graph, or what else."""
    kinds = [kind for kind in KINDS if kind in template]
    if len(kinds) != 1:
        raise Unsupported(f"the template {template['name']}: it is none of {', '.join(KINDS)}, or several")
    return kinds[0]


def tasks_of(template: Manifest) -> list[Manifest]:
    """The tasks of a graph, or all steps of a list."""
    if kind_of(template) == "dag":
        return list(template["dag"]["tasks"])
    return [step for group in template.get("steps", []) for step in group]


def tags_in(value: Any) -> Iterator[str]:
    """Every `{{…}}` within a manifest, without its braces."""
    if isinstance(value, str):
        for marked, name in TAG.findall(value):
            if marked:
                raise Unsupported(f"the expression tag {{{{={name}}}}}")
            yield name
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from tags_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from tags_in(part)


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """The same with every tag replaced. Raises KeyError for one that means nothing here."""
    if isinstance(value, str):
        list(tags_in(value))
        return TAG.sub(lambda found: known[found.group(2)], value)
    if isinstance(value, Mapping):
        return {name: filled(part, known) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, known) for part in value]
    return value


def _with_defaults(template: Manifest, defaults: Manifest) -> Manifest:
    kind = kind_of(template)
    return _merged({key: value for key, value in defaults.items() if key not in KINDS or key == kind}, template)


def _merged(default: Any, given: Any, field: str = "") -> Any:
    """As a strategic merge does it: maps by key, some lists by a key of their items, anything else as given."""
    if isinstance(default, Mapping) and isinstance(given, Mapping):
        together = {**default}
        for key, value in given.items():
            together[key] = _merged(default[key], value, key) if key in default else value
        return together
    if field in _MERGED_BY and isinstance(default, list) and isinstance(given, list):
        key = _MERGED_BY[field]
        kept = {item[key]: item for item in default}
        for item in given:
            kept[item[key]] = _merged(kept.get(item[key], {}), item)
        return list(kept.values())
    return given
