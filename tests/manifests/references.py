"""Does everything exist that a manifest mentions? Each check takes an environment's objects; a problem is one line."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.manifests import promised
from tests.manifests.pods import Pod, pods, selects
from tests.manifests.rendering import Manifest, Objects, called, of_kind

_ADDRESS = re.compile(
    r"(?:[a-z+]+://)?(?P<host>[a-z][a-z0-9-]*)(?:\.(?P<space>nexus-[a-z0-9-]+))?:(?P<port>\d{2,5})(?![\d.])"
)
_LOOKS_LIKE_ONE = re.compile(r"^[a-z+]+://[a-z]|^[a-z][a-z0-9-]*:\d{2,5}$|=http://[a-z]")


def missing_config_maps(objects: Objects) -> list[str]:
    """ConfigMaps, and keys of them, that a pod wants."""
    there = {one["metadata"]["name"]: set(one.get("data", {})) for one in of_kind(objects, "ConfigMap")}
    return [*_missing(objects, "configMap", there)]


def missing_secrets(objects: Objects) -> list[str]:
    """Secrets, and keys of them, that a pod or an operator wants."""
    there = promised.secret_keys(objects)
    wanted = [(called(one), *mention) for one in objects for mention in _secrets_of_operators(one)]
    return [*_missing(objects, "secret", there), *_absent("Secret", wanted, there)]


def missing_service_accounts(objects: Objects) -> list[str]:
    """Accounts that pods run as, or that roles are given to."""
    there = {one["metadata"]["name"] for one in of_kind(objects, "ServiceAccount")}
    wanted = [(pod.owner, pod.spec.get("serviceAccountName", "default")) for pod in pods(objects)]
    wanted += [
        (called(one), subject["name"])
        for one in of_kind(objects, "RoleBinding")
        for subject in one["subjects"]
        if subject["kind"] == "ServiceAccount"
    ]
    wanted += [
        (called(one), one["spec"]["serviceAccountName"]) for one in of_kind(objects, "Prometheus", "Alertmanager")
    ]
    return [f"{who}: there is no ServiceAccount {name}" for who, name in wanted if name not in there]


def missing_roles(objects: Objects) -> list[str]:
    """Roles that are given to somebody."""
    there = {one["metadata"]["name"] for one in of_kind(objects, "Role")}
    given = [(called(one), one["roleRef"]["name"]) for one in of_kind(objects, "RoleBinding")]
    return [f"{who}: there is no Role {name}" for who, name in given if name not in there]


def missing_volumes(objects: Objects) -> list[str]:
    """Claims that pods mount, and mounts of volumes that a pod does not have."""
    claims = {one["metadata"]["name"] for one in of_kind(objects, "PersistentVolumeClaim")}
    problems = []
    for pod in pods(objects):
        made = _claims_made(objects, pod)
        for volume in pod.volumes.values():
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim is not None and claim not in claims:
                problems.append(f"{pod.owner}: there is no PersistentVolumeClaim {claim}")
        for container in pod.containers:
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in pod.volumes and mount["name"] not in made:
                    problems.append(
                        f"{pod.owner}: {container['name']} mounts {mount['name']}, which is no volume of it"
                    )
    return problems


def selectors_that_select_nothing(objects: Objects) -> list[str]:
    """Services, budgets and workloads whose labels no pod has."""
    every = pods(objects)
    problems = []
    for one in of_kind(objects, "Service"):
        selector = {"matchLabels": one["spec"].get("selector", {})}
        if not _by_an_operator(objects, selector) and not any(selects(selector, pod.labels) for pod in every):
            problems.append(f"{called(one)}: selects no pod")
    for one in of_kind(objects, "PodDisruptionBudget"):
        if not any(selects(one["spec"]["selector"], pod.labels) for pod in every):
            problems.append(f"{called(one)}: selects no pod")
    for one in of_kind(objects, "Deployment", "StatefulSet", "DaemonSet"):
        if not selects(one["spec"]["selector"], one["spec"]["template"]["metadata"]["labels"]):
            problems.append(f"{called(one)}: does not select its own pods")
    return problems


def missing_ports(objects: Objects) -> list[str]:
    """Named ports that nobody behind a Service, a probe, a monitor or an Ingress has."""
    return [
        *(problem for one in of_kind(objects, "Service") for problem in _target_ports(one, objects)),
        *(problem for one in of_kind(objects, "ServiceMonitor") for problem in _monitored(one, objects)),
        *(problem for one in of_kind(objects, "Ingress") for problem in _backends(one, objects)),
        *(problem for pod in pods(objects) for problem in _probed(pod)),
    ]


def missing_scale_targets(objects: Objects) -> list[str]:
    """Deployments that somebody scales."""
    there = {one["metadata"]["name"] for one in of_kind(objects, "Deployment")}
    scaled = [(called(one), one["spec"]["scaleTargetRef"]["name"]) for one in of_kind(objects, "ScaledObject")]
    return [f"{who}: there is no Deployment {name}" for who, name in scaled if name not in there]


def missing_addresses(objects: Objects) -> list[str]:
    """Hosts and ports, in settings, variables and configurations, that no Service has."""
    there = promised.services(objects)
    problems = []
    for who, text in _texts(objects):
        for match in _ADDRESS.finditer(text):
            host, port, elsewhere = match["host"], int(match["port"]), match["space"]
            if elsewhere is not None or re.fullmatch(r"etcd-\d", host):
                continue
            if host not in there:
                problems.append(f"{who}: {match[0]}: there is no Service {host}")
            elif port not in there[host]:
                problems.append(f"{who}: {match[0]}: {host} has no port {port}, but {sorted(there[host])}")
    return problems


def _missing(objects: Objects, kind: str, there: dict[str, set[str]]) -> Iterator[str]:
    word = {"configMap": "ConfigMap", "secret": "Secret"}[kind]
    wanted = [(pod.owner, *mention) for pod in pods(objects) for mention in _mentions(pod, kind)]
    return _absent(word, wanted, there)


def _absent(word: str, wanted: Iterable[tuple[str, str, str | None]], there: dict[str, set[str]]) -> Iterator[str]:
    for who, name, key in wanted:
        if name not in there:
            yield f"{who}: there is no {word} {name}"
        elif key is not None and key not in there[name]:
            yield f"{who}: {word} {name} has no key {key}"


def _mentions(pod: Pod, kind: str) -> Iterator[tuple[str, str | None]]:
    """Name and key; None stands for all keys."""
    for container in pod.containers:
        for source in container.get("envFrom", []):
            if f"{kind}Ref" in source:
                yield source[f"{kind}Ref"]["name"], None
        for variable in container.get("env", []):
            if reference := variable.get("valueFrom", {}).get(f"{kind}KeyRef"):
                yield reference["name"], reference["key"]
    for volume in pod.volumes.values():
        for source in (volume, *volume.get("projected", {}).get("sources", [])):
            if named := source.get(kind):
                name = named.get("secretName") or named["name"]
                keys = [item["key"] for item in named.get("items", [])]
                yield from ((name, key) for key in keys or [None])


def _secrets_of_operators(one: Manifest) -> Iterator[tuple[str, str | None]]:
    spec = one.get("spec", {})
    match one["kind"]:
        case "AlertmanagerConfig":
            for receiver in spec["receivers"]:
                for hook in receiver.get("webhookConfigs", []):
                    credentials = hook["httpConfig"]["authorization"]["credentials"]
                    yield credentials["name"], credentials["key"]
        case "Milvus":
            for key in ("accesskey", "secretkey"):
                yield spec["dependencies"]["storage"]["secretRef"], key
        case "Cluster":
            for key in ("username", "password"):
                yield spec["bootstrap"]["initdb"]["secret"]["name"], key
        case "EventSource":
            yield from _key_selectors(spec)


def _key_selectors(node: Any) -> Iterator[tuple[str, str | None]]:
    """Every `{name, key}` below a node."""
    if isinstance(node, dict):
        if node.keys() == {"name", "key"}:
            yield node["name"], node["key"]
        for value in node.values():
            yield from _key_selectors(value)
    elif isinstance(node, list):
        for value in node:
            yield from _key_selectors(value)


def _claims_made(objects: Objects, pod: Pod) -> set[str]:
    owner = next(one for one in objects if called(one) == pod.owner)
    return {claim["metadata"]["name"] for claim in owner["spec"].get("volumeClaimTemplates", [])}


def _by_an_operator(objects: Objects, selector: dict[str, Any]) -> bool:
    """Pods of Prometheus and Alertmanager are made by their operator, with the labels it is told."""
    return any(
        selects(selector, one["spec"]["podMetadata"]["labels"])
        for one in of_kind(objects, "Prometheus", "Alertmanager")
    )


def _target_ports(service: Manifest, objects: Objects) -> Iterator[str]:
    selector = {"matchLabels": service["spec"].get("selector", {})}
    behind = [pod for pod in pods(objects) if selects(selector, pod.labels)]
    for port in service["spec"]["ports"] if behind else []:
        wanted = port.get("targetPort", port["port"])
        for pod in behind:
            names = {here["name"] for one in pod.containers for here in one.get("ports", [])}
            if wanted not in names and wanted not in pod.ports:
                yield f"{called(service)}: {pod.owner} has no port {wanted}"


def _monitored(monitor: Manifest, objects: Objects) -> Iterator[str]:
    found = [
        one
        for one in of_kind(objects, "Service")
        if selects(monitor["spec"]["selector"], one["metadata"].get("labels", {}))
    ]
    if not found:
        yield f"{called(monitor)}: selects no Service"
    for service in found:
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint["port"] not in {port["name"] for port in service["spec"]["ports"]}:
                yield f"{called(monitor)}: {called(service)} has no port {endpoint['port']}"


def _backends(ingress: Manifest, objects: Objects) -> Iterator[str]:
    ports = {
        one["metadata"]["name"]: {port["name"] for port in one["spec"]["ports"]} for one in of_kind(objects, "Service")
    }
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            if service["port"]["name"] not in ports.get(service["name"], set()):
                yield f"{called(ingress)}: there is no {service['name']} with a port {service['port']['name']}"


def _probed(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        names = {port["name"] for port in container.get("ports", [])}
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            port = container.get(kind, {}).get("httpGet", {}).get("port")
            if port is not None and port not in names:
                yield f"{pod.owner}: the {kind} of {container['name']} asks at {port}, which it does not have"


def _texts(objects: Objects) -> Iterator[tuple[str, str]]:
    """Whatever may name an address."""
    for one in of_kind(objects, "ConfigMap"):
        for key, value in one.get("data", {}).items():
            if key.isupper():
                yield f"{called(one)} {key}", value
    for pod in pods(objects):
        for container in pod.containers:
            for variable in container.get("env", []):
                value = str(variable.get("value", ""))
                if _LOOKS_LIKE_ONE.search(value) and "$(" not in value:
                    yield f"{pod.owner} {variable['name']}", value
    for one in of_kind(objects, "AlertmanagerConfig"):
        for receiver in one["spec"]["receivers"]:
            for hook in receiver.get("webhookConfigs", []):
                yield called(one), hook["url"]
    for one in of_kind(objects, "ScaledObject"):
        for trigger in one["spec"]["triggers"]:
            yield called(one), trigger["metadata"].get("serverAddress", "")
    for one in of_kind(objects, "Milvus"):
        yield from ((called(one), address) for address in one["spec"]["dependencies"]["etcd"]["endpoints"])
        if ".com" not in (address := one["spec"]["dependencies"]["storage"]["endpoint"]):
            yield called(one), address
    if not of_kind(objects, "ExternalSecret"):
        for name, values in promised.made_secrets().items():
            for key, value in values.items():
                if "@" in value:
                    yield f"Secret/{name} {key}", value.rpartition("@")[2]
