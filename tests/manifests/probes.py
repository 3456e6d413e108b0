"""Is it seen when a pod is not well, and is it left in peace when it stops? Each problem is one line."""

from tests.manifests.pods import pods, selects
from tests.manifests.rendering import Objects, called, of_kind

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
PATHS = {"/livez", "/readyz", "/metrics", "/health", "/v2/health/live", "/v2/health/ready", "/health/ready"}
"""What our services, workers, MLflow and etcd, Triton, and Triton's OpenAI-compatible door answer."""


def missing_probes(objects: Objects) -> list[str]:
    """Of containers that stay."""
    return [
        f"{pod.owner}: {container['name']} has no {probe}"
        for pod in pods(objects)
        if pod.lasts
        for container in pod.spec["containers"]
        for probe in PROBES
        if probe not in container
    ]


def unknown_paths(objects: Objects) -> list[str]:
    """Asked at, and answered by nobody."""
    return [
        f"{pod.owner}: {probe} asks for {path}"
        for pod in pods(objects)
        for container in pod.containers
        for probe in PROBES
        if (path := container.get(probe, {}).get("httpGet", {}).get("path")) is not None
        and path.partition("?")[0] not in PATHS
    ]


def abrupt_ends(objects: Objects) -> list[str]:
    """Pods behind a Service that are stopped while addresses still lead to them: they neither wait before they are
    told, nor drain by themselves; and pods that are given less time than their server takes to finish."""
    problems = []
    for pod in pods(objects):
        if not pod.lasts:
            continue
        served = any(
            port["name"] in ("http", "grpc") for container in pod.containers for port in container.get("ports", [])
        )
        for container in pod.spec["containers"]:
            variables = {one["name"]: one.get("value") for one in container.get("env", [])}
            drains = float(variables.get("NEXUS_DRAIN_SECONDS") or 0)
            waits = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            if served and not (drains or waits):
                problems.append(f"{pod.owner}: {container['name']} is stopped while addresses still lead to it")
            needed = drains + waits + _graceful_seconds(container)
            if needed >= pod.spec.get("terminationGracePeriodSeconds", 30):
                problems.append(f"{pod.owner}: is killed before the {needed:.0f} s that {container['name']} may take")
    return problems


def unprotected(objects: Objects) -> list[str]:
    """Deployments and StatefulSets that a drained node may take away whole, or that may all lie on one node."""
    budgets = of_kind(objects, "PodDisruptionBudget")
    problems = []
    for one in of_kind(objects, "Deployment", "StatefulSet"):
        template = one["spec"]["template"]
        labels = template["metadata"]["labels"]
        if not any(selects(budget["spec"]["selector"], labels) for budget in budgets):
            problems.append(f"{called(one)}: has no disruption budget")
        spread = template["spec"].get("topologySpreadConstraints", [])
        if not any(
            rule["topologyKey"] == "kubernetes.io/hostname" and selects(rule["labelSelector"], labels)
            for rule in spread
        ):
            problems.append(f"{called(one)}: may lie on one node")
    return problems


def _graceful_seconds(container: dict[str, object]) -> float:
    """What uvicorn waits for open requests."""
    arguments = [*container.get("command", []), *container.get("args", [])]  # type: ignore[misc]
    if "--timeout-graceful-shutdown" not in arguments:
        return 0.0
    return float(arguments[arguments.index("--timeout-graceful-shutdown") + 1])
