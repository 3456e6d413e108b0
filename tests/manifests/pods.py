"""The pods that objects make, whatever kind of object makes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.manifests.rendering import Manifest, Objects, called

LASTING = ("Deployment", "StatefulSet", "DaemonSet")
"""Kinds whose pods stay; those of others end by themselves."""


@dataclass(frozen=True)
class Pod:
    """One pod, as its template says."""

    owner: str
    lasts: bool
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def containers(self) -> list[dict[str, Any]]:
        """All of them, those that run first included."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def volumes(self) -> dict[str, dict[str, Any]]:
        return {volume["name"]: volume for volume in self.spec.get("volumes", [])}

    @property
    def ports(self) -> list[int]:
        """What its containers say they listen on."""
        return [port["containerPort"] for one in self.containers for port in one.get("ports", [])]


def pods(objects: Objects) -> list[Pod]:
    """Of all objects that have a template for pods."""
    return [
        Pod(called(one), one["kind"] in LASTING, labels, spec) for one in objects for labels, spec in _templates(one)
    ]


def _templates(one: Manifest) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    template: dict[str, Any] | None = None
    if one["kind"] in (*LASTING, "Job"):
        template = one["spec"]["template"]
    elif one["kind"] == "CronJob":
        template = one["spec"]["jobTemplate"]["spec"]["template"]
    if template is not None:
        yield template["metadata"].get("labels", {}), template["spec"]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector of Kubernetes matches; an empty one matches all."""
    wanted = selector.get("matchLabels") or {}
    return wanted.items() <= labels.items() and all(
        _matches(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def _matches(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    there, value = expression["key"] in labels, labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return there
        case "DoesNotExist":
            return not there
        case other:
            raise ValueError(f"{other} is no operator of selectors")
