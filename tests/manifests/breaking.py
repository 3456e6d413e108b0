"""Taking manifests apart, to break one thing in them."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.manifests.rendering import Manifest, Objects, named, of_kind


class Break(NamedTuple):
    """One mistake: which check must see it, what it must say, and how the mistake is made."""

    check: str
    says: str
    make: Callable[[Objects], object]


def deployment(objects: Objects, name: str) -> dict[str, Any]:
    """The pod of a Deployment."""
    return dict(named(objects, "Deployment", name)["spec"]["template"])


def container(objects: Objects, name: str) -> dict[str, Any]:
    first: dict[str, Any] = deployment(objects, name)["spec"]["containers"][0]
    return first


def policy(objects: Objects, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = named(objects, "NetworkPolicy", name)["spec"]
    return spec


def remove(objects: Objects, kind: str, name: str) -> None:
    objects.remove(named(objects, kind, name))


def settings(objects: Objects) -> dict[str, str]:
    data: dict[str, str] = next(
        one for one in of_kind(objects, "ConfigMap") if one["metadata"]["name"].startswith("nexus-settings")
    )["data"]
    return data


def sources(objects: Objects, name: str) -> list[dict[str, Any]]:
    """Of the secrets that a Deployment mounts."""
    volumes = deployment(objects, name)["spec"]["volumes"]
    found: list[dict[str, Any]] = next(one for one in volumes if one["name"] == "secrets")["projected"]["sources"]
    return found


def variable(objects: Objects, owner: tuple[str, str], name: str) -> dict[str, Any]:
    spec = named(objects, *owner)["spec"]["template"]["spec"]
    return next(one for one in spec["containers"][0]["env"] if one["name"] == name)


def peers(objects: Objects, name: str, direction: str, port: int) -> list[dict[str, Any]]:
    """Of the rule of a policy that is about a port."""
    way = {"ingress": "from", "egress": "to"}[direction]
    found: list[dict[str, Any]] = next(
        rule for rule in policy(objects, name)[direction] if rule["ports"][0]["port"] == port
    )[way]
    return found


def to(wanted: str) -> Manifest:
    return {"podSelector": {"matchLabels": {"app.kubernetes.io/name": wanted}}}
