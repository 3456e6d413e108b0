"""Do the accounts, roles, secrets, settings and claims exist that Argo's objects mention? Each flaw is one line."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.manifests.argo_objects import WORKFLOWS, pods_of_workflows
from tests.manifests.argo_templates import Manifest, specs_of, templates_of
from tests.manifests.rendering import of_kind

EXECUTOR = [{"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}]
"""What every workflow's account has to be allowed."""


def account_flaws(objects: list[Any]) -> list[str]:
    """Accounts that are mentioned and not there, or that may not do what they are for."""
    accounts = {one["metadata"]["name"] for one in of_kind(objects, "ServiceAccount")}
    flaws = [
        f"{owner}: there is no ServiceAccount {name}" for owner, name in _accounts_used(objects) if name not in accounts
    ]
    flaws += list(_binding_flaws(objects, accounts))
    for owner, name in _accounts_used(objects, *WORKFLOWS):
        if not any(rule in _rules_of(objects, name) for rule in EXECUTOR):
            flaws.append(f"{owner}: {name} may not write workflowtaskresults")
    used = {name for _, name in _accounts_used(objects)}
    return flaws + [f"ServiceAccount {name} is nobody's" for name in sorted(accounts - used)]


def storage_flaws(objects: list[Any], outside: Mapping[str, Mapping[str, set[str]]]) -> list[str]:
    """ConfigMaps, Secrets and claims that are mentioned and not there. `outside` are those of other folders: by kind
    and name, with their keys."""
    there = {kind: dict(names) for kind, names in outside.items()}
    for one in of_kind(objects, "ConfigMap"):
        there.setdefault("ConfigMap", {})[one["metadata"]["name"]] = set(one["data"])
    flaws = []
    for owner, kind, name, key in _mentions(objects):
        if name not in there.get(kind, {}):
            flaws.append(f"{owner}: there is no {kind} {name}")
        elif key is not None and key not in there[kind][name]:
            flaws.append(f"{owner}: {kind} {name} has no key {key}")
    return flaws


def _accounts_used(objects: list[Any], *kinds: str) -> Iterator[tuple[str, str]]:
    for one in of_kind(objects, *(kinds or (*WORKFLOWS, "EventSource", "Sensor"))):
        owner = f"{one['kind']}/{one['metadata']['name']}"
        if one["kind"] in WORKFLOWS:
            spec = specs_of(one)
            for holder in (spec, *templates_of(spec).values()):
                if "serviceAccountName" in holder:
                    yield owner, holder["serviceAccountName"]
        else:
            yield owner, one["spec"]["template"]["serviceAccountName"]


def _binding_flaws(objects: list[Any], accounts: set[str]) -> Iterator[str]:
    roles = {one["metadata"]["name"] for one in of_kind(objects, "Role")}
    for binding in of_kind(objects, "RoleBinding"):
        if binding["roleRef"]["name"] not in roles:
            yield f"RoleBinding {binding['metadata']['name']}: there is no Role {binding['roleRef']['name']}"
        for subject in binding["subjects"]:
            if subject["name"] not in accounts:
                yield f"RoleBinding {binding['metadata']['name']}: there is no ServiceAccount {subject['name']}"


def _rules_of(objects: list[Any], account: str) -> list[Manifest]:
    bound = {
        binding["roleRef"]["name"]
        for binding in of_kind(objects, "RoleBinding")
        if account in [subject["name"] for subject in binding["subjects"]]
    }
    return [rule for role in of_kind(objects, "Role") if role["metadata"]["name"] in bound for rule in role["rules"]]


def _mentions(objects: list[Any]) -> Iterator[tuple[str, str, str, str | None]]:
    for pod in pods_of_workflows(objects):
        spec = pod["spec"] if pod["kind"] == "Pod" else pod["spec"]["template"]["spec"]
        yield from ((pod["metadata"]["name"], *mention) for mention in _of_a_pod(spec))
    for one in of_kind(objects, "EventSource"):
        for value in _selectors(one["spec"]):
            yield one["metadata"]["name"], "Secret", value["name"], value["key"]
    for workflow in of_kind(objects, *WORKFLOWS):
        for semaphore in specs_of(workflow).get("synchronization", {}).get("semaphores", []):
            reference = semaphore["configMapKeyRef"]
            yield workflow["metadata"]["name"], "ConfigMap", reference["name"], reference["key"]
    for one in of_kind(objects, "ConfigMap"):
        if one["metadata"]["name"] == "artifact-repositories":
            for text in one["data"].values():
                for value in _selectors(yaml.safe_load(text)):
                    yield one["metadata"]["name"], "Secret", value["name"], value["key"]


def _of_a_pod(spec: Manifest) -> Iterator[tuple[str, str, str | None]]:
    for volume in spec["volumes"]:
        if claim := volume.get("persistentVolumeClaim"):
            yield "PersistentVolumeClaim", claim["claimName"], None
        for source in volume.get("projected", {}).get("sources", []):
            yield "Secret", source["secret"]["name"], None
    for container in spec["containers"]:
        for source in container.get("envFrom", []):
            yield "ConfigMap", source["configMapRef"]["name"], None


def _selectors(value: Any) -> Iterator[dict[str, str]]:
    """References to a key of a Secret, wherever they stand."""
    if isinstance(value, dict):
        if value.keys() == {"name", "key"}:
            yield value
        else:
            for part in value.values():
                yield from _selectors(part)
    elif isinstance(value, list):
        for part in value:
            yield from _selectors(part)
