"""What is in a namespace without being in the manifests: made by operators, by charts, by whoever keeps secrets."""

import subprocess
from collections.abc import Mapping
from functools import cache

from tests.manifests.rendering import K8S, Objects, of_kind, read, render

CHART_SERVICES = {"minio": {9000}, "redis": {6379}}
"""Of the charts in k8s/argocd/stores, by what they are called there."""


@cache
def made_secrets() -> Mapping[str, Mapping[str, str]]:
    """The Secrets that k8s/secrets.sh makes, with their values."""
    done = subprocess.run([K8S / "secrets.sh", "nexus-test"], capture_output=True, text=True, check=True)
    return {one["metadata"]["name"]: one["stringData"] for one in read(done.stdout)}


def secret_keys(objects: Objects) -> dict[str, set[str]]:
    """Every Secret that an environment has, with its keys: from its secret store, or else from the script."""
    stored = {
        one["spec"]["target"]["name"]: {entry["secretKey"] for entry in one["spec"]["data"]}
        for one in of_kind(objects, "ExternalSecret")
    }
    made = {name: set(values) for name, values in made_secrets().items()}
    certificates = {tls["secretName"] for one in of_kind(objects, "Ingress") for tls in one["spec"].get("tls", [])}
    return {**(stored or made), **stored, **{name: {"tls.crt", "tls.key"} for name in certificates}}


def services(objects: Objects) -> dict[str, set[int]]:
    """The ports of every Service: those in the manifests, and those that operators and charts make."""
    ours = {
        one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]} for one in of_kind(objects, "Service")
    }
    milvus = {f"{one['metadata']['name']}-milvus": {19530, 9091} for one in of_kind(objects, "Milvus")}
    postgres = {
        service["serviceTemplate"]["metadata"]["name"]: {5432}
        for one in of_kind(objects, "Cluster")
        for service in one["spec"]["managed"]["services"]["additional"]
    }
    sources = {
        f"{one['metadata']['name']}-eventsource-svc": {int(port["port"]) for port in one["spec"]["service"]["ports"]}
        for one in of_kind(objects, "EventSource")
        if "service" in one["spec"]
    }
    return {**CHART_SERVICES, **milvus, **postgres, **sources, **ours}


def chart_names() -> set[str]:
    """What the charts of the stores call their Services."""
    return {
        one["spec"]["template"]["spec"]["source"]["helm"]["valuesObject"]["fullnameOverride"]
        for one in of_kind(render(K8S / "argocd"), "ApplicationSet")
    }
