"""Does every pod keep to the restricted profile, and to what we ask beyond it? Each problem is one line."""

from collections.abc import Iterator
from typing import Any

from tests.manifests.pods import Pod, pods
from tests.manifests.rendering import Objects, of_kind

_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
_FORBIDDEN = ("hostNetwork", "hostPID", "hostIPC", "hostUsers")


def unrestricted(objects: Objects) -> list[str]:
    """Against the restricted profile of Kubernetes' pod security standards, with a read-only root, which is ours."""
    return [f"{pod.owner}: {problem}" for pod in pods(objects) for problem in _of(pod)]


def unenforced(objects: Objects) -> list[str]:
    """Namespaces that do not make the API server see to it."""
    level = "pod-security.kubernetes.io/enforce"
    return [
        f"{one['metadata']['name']}: {level} is not restricted"
        for one in of_kind(objects, "Namespace")
        if one["metadata"].get("labels", {}).get(level) != "restricted"
    ]


def unlimited(objects: Objects) -> list[str]:
    """Containers that do not say what they need and what they may take."""
    problems = []
    for pod in pods(objects):
        for container in pod.containers:
            for kind in ("requests", "limits"):
                missing = {"cpu", "memory"} - container.get("resources", {}).get(kind, {}).keys()
                problems += [f"{pod.owner}: {container['name']} has no {kind} of {one}" for one in sorted(missing)]
    return problems


def needless_tokens(objects: Objects) -> list[str]:
    """Pods that carry a token of the API server without speaking to it, or are told of Services as settings."""
    problems = []
    for pod in pods(objects):
        speaks = pod.labels.get("speaks-to-kubernetes") == "yes"
        if not speaks and pod.spec.get("automountServiceAccountToken") is not False:
            problems.append(f"{pod.owner}: carries a token that it does not need")
        if pod.spec.get("enableServiceLinks") is not False:
            problems.append(f"{pod.owner}: Services become its variables")
    return problems


def _of(pod: Pod) -> Iterator[str]:
    security = pod.spec.get("securityContext", {})
    if security.get("runAsNonRoot") is not True or security.get("runAsUser", 0) == 0:
        yield "may run as root"
    if security.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "has no seccomp profile"
    yield from (f"{name} is set" for name in _FORBIDDEN if name in pod.spec)
    for name, volume in pod.volumes.items():
        if not volume.keys() - {"name"} <= _VOLUMES:
            yield f"volume {name} is of a kind that is not allowed"
    for container in pod.containers:
        yield from (f"{container['name']} {problem}" for problem in _of_container(container))


def _of_container(container: dict[str, Any]) -> Iterator[str]:
    security = container.get("securityContext", {})
    if security.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if security.get("capabilities") != {"drop": ["ALL"]}:
        yield "keeps capabilities"
    if security.get("readOnlyRootFilesystem") is not True:
        yield "may write to its root"
    if security.get("privileged") or security.get("runAsUser") == 0:
        yield "is privileged"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "takes a port of the node"
