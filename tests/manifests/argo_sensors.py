"""Sensors as Argo Events reads them: which events pass, and what becomes of one. Also: does everything exist that they
mention? The rules are those of argo-events 1.9 (sensors/dependencies/filter.go, sensors/triggers/params.go)."""

import copy
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from tests.manifests.argo_expressions import Unsupported
from tests.manifests.argo_objects import workflow_templates
from tests.manifests.argo_templates import Manifest, specs_of
from tests.manifests.rendering import named, of_kind

_TRIMMED = re.compile(r'^(?P<before>[^{}]*)\{\{ trimPrefix "(?P<prefix>[^"]*)" \.Input\.(?P<path>[a-z_.]+) \}\}$')
_IN_BASE64 = re.compile(r"^\{\{ \.Input\.(?P<path>[a-z_.]+) \| toJson \| b64enc \}\}$")
_DATA_FILTER = {"path", "type", "value", "comparator"}


def sensor_flaws(objects: list[Any]) -> list[str]:
    """What sensors and event sources mention and is not there."""
    return [
        f"{one['metadata']['name']}: {flaw}" for one in of_kind(objects, "Sensor") for flaw in _flaws(one, objects)
    ] + [
        f"{one['metadata']['name']}: {flaw}"
        for one in of_kind(objects, "EventSource")
        for flaw in _source_flaws(one, objects)
    ]


def workflows_of(sensor: Manifest, event_name: str, data: Manifest) -> list[dict[str, Any]]:
    """The workflows that a sensor makes of an event."""
    made = []
    for trigger in sensor["spec"]["triggers"]:
        template = trigger["template"]
        (dependency,) = [one for one in sensor["spec"]["dependencies"] if one["name"] == template["conditions"]]
        if dependency["eventName"] == event_name and _passes(dependency.get("filters", {}), data):
            made.append(_filled(template["k8s"], data))
    return made


def _passes(filters: Manifest, data: Manifest) -> bool:
    if filters.keys() - {"data"}:
        raise Unsupported(f"the filters {', '.join(filters)}")
    return all(_lets_through(one, data) for one in filters.get("data", []))


def _lets_through(one: Manifest, data: Manifest) -> bool:
    """A path that the event does not have lets nothing through. Values are regular expressions, met anywhere."""
    if one.keys() - _DATA_FILTER or one["type"] != "string" or one.get("comparator", "=") not in ("=", "!="):
        raise Unsupported(f"the filter {one}")
    try:
        found = str(_at(data, one["path"]))
    except (KeyError, IndexError):
        return False
    matches = [bool(re.search(value, found)) for value in one["value"]]
    return any(not match for match in matches) if one.get("comparator") == "!=" else any(matches)


def _filled(k8s: Manifest, data: Manifest) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(dict(k8s["source"]["resource"]))
    for parameter in k8s["parameters"]:
        _put(made, parameter["dest"], _value(parameter["src"], data))
    return made


def _value(source: Manifest, data: Manifest) -> str:
    if "dataTemplate" not in source:
        value = _at(data, source["dataKey"])
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    template = source["dataTemplate"]
    if found := _TRIMMED.match(template):
        return found["before"] + str(_at(data, found["path"])).removeprefix(found["prefix"])
    if found := _IN_BASE64.match(template):
        return b64encode(json.dumps(_at(data, found["path"])).encode()).decode()
    raise Unsupported(f"the template {template}")


def _at(data: Any, path: str) -> Any:
    for step in path.split("."):
        data = data[int(step)] if isinstance(data, list) else data[step]
    return data


def _put(made: Any, path: str, value: str) -> None:
    *steps, last = (step.replace("\0", ".") for step in path.replace("\\.", "\0").split("."))
    for step in steps:
        made = made[int(step)] if isinstance(made, list) else made[step]
    made[last] = value


def _flaws(sensor: Manifest, objects: list[Any]) -> Iterator[str]:
    events = {
        (one["metadata"]["name"], event)
        for one in of_kind(objects, "EventSource")
        for kind in ("minio", "webhook")
        for event in one["spec"].get(kind, {})
    }
    dependencies = {one["name"] for one in sensor["spec"]["dependencies"]}
    for one in sensor["spec"]["dependencies"]:
        if (one["eventSourceName"], one["eventName"]) not in events:
            yield f"there is no event {one['eventName']} of an event source {one['eventSourceName']}"
    for trigger in sensor["spec"]["triggers"]:
        template = trigger["template"]
        if template["conditions"] not in dependencies:
            yield f"trigger {template['name']}: there is no dependency {template['conditions']}"
        for parameter in template["k8s"]["parameters"]:
            if parameter["src"]["dependencyName"] not in dependencies:
                yield f"trigger {template['name']}: there is no dependency {parameter['src']['dependencyName']}"
        for flaw in _workflow_flaws(template["k8s"], objects):
            yield f"trigger {template['name']}: {flaw}"


def _workflow_flaws(k8s: Manifest, objects: list[Any]) -> Iterator[str]:
    made = k8s["source"]["resource"]
    templates = workflow_templates(objects)
    wanted = made["spec"]["workflowTemplateRef"]["name"]
    if wanted not in templates:
        yield f"there is no WorkflowTemplate {wanted}"
        return
    spec = specs_of(templates[wanted])
    entrypoint = made["spec"].get("entrypoint")
    if entrypoint is not None and entrypoint not in {one["name"] for one in spec["templates"]}:
        yield f"{wanted} has no template {entrypoint}"
    declared = {one["name"]: one for one in spec["arguments"]["parameters"]}
    given = [one["name"] for one in made["spec"]["arguments"]["parameters"]]
    yield from (f"{wanted} takes no parameter {name}" for name in given if name not in declared)
    yield from (
        f"{wanted} wants the parameter {name}"
        for name, one in declared.items()
        if "value" not in one and name not in given
    )
    filled = {parameter["dest"] for parameter in k8s["parameters"]}
    for number, name in enumerate(given):
        if f"spec.arguments.parameters.{number}.value" not in filled:
            yield f"the parameter {name} gets no value"
    for dest in filled:
        if dest.startswith("spec.arguments.parameters.") and int(dest.split(".")[3]) >= len(given):
            yield f"there is no parameter at {dest}"


def _source_flaws(source: Manifest, objects: list[Any]) -> Iterator[str]:
    bus: Mapping[str, Any] = source["spec"]
    if bus.get("eventBusName", "default") not in {one["metadata"]["name"] for one in of_kind(objects, "EventBus")}:
        yield "there is no event bus for it"
    ports = {str(port["port"]) for port in source["spec"].get("service", {}).get("ports", [])}
    for name, hook in source["spec"].get("webhook", {}).items():
        if hook["port"] not in ports:
            yield f"{name} listens on {hook['port']}, which its Service does not have"
        if "authSecret" not in hook:
            yield f"{name} lets everybody in"


def sensor_of(objects: list[Any], name: str) -> Any:
    """One sensor."""
    return named(objects, "Sensor", name)
