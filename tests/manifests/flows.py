"""Who may speak to whom. What is needed is data (`needed_flows.py`). The policies are evaluated as a network plugin
would, over the pods of an environment and those that operators, charts and the rest of the cluster add.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.manifests.pods import pods, selects
from tests.manifests.rendering import Manifest, Objects, of_kind

PUBLIC_ADDRESS = "203.0.113.7"
"""Somewhere in the internet."""


@dataclass(frozen=True)
class Endpoint:
    """A pod as policies see it, or a place outside of the cluster."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    ports: tuple[int, ...] = ()
    space: Mapping[str, str] | None = field(default=None, hash=False)
    """Labels of its namespace; None in the environment's own."""
    address: str | None = None
    """Of what is outside of the cluster."""


@dataclass(frozen=True, order=True)
class Flow:
    """One may open connections to another on a port."""

    source: str
    destination: str
    port: int

    def __str__(self) -> str:
        return f"{self.source} → {self.destination}:{self.port}"


def endpoints(objects: Objects) -> list[Endpoint]:
    """All pods of an environment by their name label, those that operators and charts add, and their neighbours."""
    ours = {
        pod.labels["app.kubernetes.io/name"]: Endpoint(
            pod.labels["app.kubernetes.io/name"], pod.labels, tuple(pod.ports)
        )
        for pod in pods(objects)
    }
    return [*ours.values(), *_of_operators(objects), *_of_charts(objects), *_NEIGHBOURS]


def allowed_flows(objects: Objects) -> set[Flow]:
    """Every flow that the policies let pass, from or to the environment."""
    every, policies = endpoints(objects), of_kind(objects, "NetworkPolicy")
    own_space = of_kind(objects, "Namespace")[0]["metadata"]
    labels = {"kubernetes.io/metadata.name": own_space["name"], **own_space.get("labels", {})}
    network = _Network(policies, labels)
    return {
        Flow(source.name, destination.name, port)
        for source in every
        for destination in every
        if source.space is None or destination.space is None
        for port in destination.ports
        if network.passes(source, destination, port)
    }


@dataclass(frozen=True)
class _Network:
    policies: Objects
    own_space: Mapping[str, str]
    known: dict[tuple[str, int], list[Mapping[str, Any]] | None] = field(default_factory=dict)

    def passes(self, source: Endpoint, destination: Endpoint, port: int) -> bool:
        """Both ends must agree; the policies of other namespaces are not ours to know, and taken for friendly."""
        leaves = source.space is not None or self._one_side("Egress", source, destination, port)
        arrives = destination.space is not None or self._one_side("Ingress", destination, source, port)
        return leaves and arrives

    def _one_side(self, direction: str, here: Endpoint, there: Endpoint, port: int) -> bool:
        rules = self._rules(direction, here)
        way = "to" if direction == "Egress" else "from"
        return rules is None or any(self._rule(rule, way, there, port) for rule in rules)

    def _rules(self, direction: str, here: Endpoint) -> list[Mapping[str, Any]] | None:
        """Those that apply to a pod; None where no policy does, and all passes."""
        key = (direction, id(here))
        if key not in self.known:
            applied = [
                policy["spec"]
                for policy in self.policies
                if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], here.labels)
            ]
            rules = [rule for policy in applied for rule in policy.get(direction.lower()) or []]
            self.known[key] = rules if applied else None
        return self.known[key]

    def _rule(self, rule: Mapping[str, Any], way: str, there: Endpoint, port: int) -> bool:
        ports, peers = rule.get("ports"), rule.get(way)
        fits = ports is None or any(one["port"] == port and one.get("protocol", "TCP") == "TCP" for one in ports)
        return fits and (peers is None or any(self._peer(peer, there) for peer in peers))

    def _peer(self, peer: Mapping[str, Any], there: Endpoint) -> bool:
        if "ipBlock" in peer:
            return there.address is not None and _within(peer["ipBlock"], there.address)
        if there.address is not None:
            return False
        if "namespaceSelector" in peer:
            space = there.space if there.space is not None else self.own_space
            if not selects(peer["namespaceSelector"], space):
                return False
        elif there.space is not None:
            return False
        return selects(peer.get("podSelector", {}), there.labels)


def _within(block: Mapping[str, Any], address: str) -> bool:
    outside = any(ip_address(address) in ip_network(part) for part in block.get("except", []))
    return ip_address(address) in ip_network(block["cidr"]) and not outside


def _of_operators(objects: Objects) -> Iterator[Endpoint]:
    for one in of_kind(objects, "Prometheus"):
        yield Endpoint("prometheus", one["spec"]["podMetadata"]["labels"], (9090,))
    for one in of_kind(objects, "Alertmanager"):
        yield Endpoint("alertmanager", one["spec"]["podMetadata"]["labels"], (9093, 9094))
    for one in of_kind(objects, "Milvus"):
        labels = {"app.kubernetes.io/name": "milvus", "app.kubernetes.io/instance": one["metadata"]["name"]}
        yield Endpoint("milvus", labels, (19530, 9091))
    for one in of_kind(objects, "Cluster"):
        inherited = one["spec"]["inheritedMetadata"]["labels"]
        labels = {"cnpg.io/cluster": one["metadata"]["name"], "cnpg.io/podRole": "instance", **inherited}
        yield Endpoint("postgres", labels, (5432, 8000))
    yield from _of_argo(objects)


def _of_argo(objects: Objects) -> Iterator[Endpoint]:
    """Pods of workflows, event sources, sensors and their bus."""
    for one in of_kind(objects, "WorkflowTemplate", "CronWorkflow"):
        labels = one["spec"].get("workflowSpec", one["spec"]).get("podMetadata", {}).get("labels", {})
        if "app.kubernetes.io/name" in labels:
            yield Endpoint(labels["app.kubernetes.io/name"], labels, (29400,))
    for one in of_kind(objects, "EventSource", "Sensor"):
        labels = one["spec"]["template"]["metadata"]["labels"]
        kind = {"EventSource": "eventsource-name", "Sensor": "sensor-name"}[one["kind"]]
        ports = tuple(int(port["targetPort"]) for port in one["spec"].get("service", {}).get("ports", []))
        yield Endpoint(labels["app.kubernetes.io/name"], {**labels, kind: one["metadata"]["name"]}, ports)
    for one in of_kind(objects, "EventBus"):
        yield Endpoint("event-bus", {"eventbus-name": one["metadata"]["name"]}, (4222, 6222, 8222))


def _of_charts(objects: Objects) -> Iterator[Endpoint]:
    """With an external store its chart is not there, and neither is its policy."""
    policies = {one["metadata"]["name"] for one in of_kind(objects, "NetworkPolicy")}
    if "minio" in policies:
        yield Endpoint("minio", {"app": "minio", "release": "minio"}, (9000,))
        yield Endpoint("minio-job", {"app": "minio-job", "release": "minio"})
    if "redis" in policies:
        yield Endpoint("redis", {"app.kubernetes.io/name": "valkey", "app.kubernetes.io/instance": "redis"}, (6379,))


def _space(name: str, **labels: str) -> dict[str, str]:
    return {"kubernetes.io/metadata.name": name, **labels}


_OTHER_ENVIRONMENT = {**_space("nexus-another"), "app.kubernetes.io/part-of": "nexus"}
_NEIGHBOURS = (
    Endpoint("cluster DNS", {"k8s-app": "kube-dns"}, (53,), _space("kube-system")),
    Endpoint("the internet", {}, (80, 443, 5432, 6379, 6380, 6443), {}, PUBLIC_ADDRESS),
    Endpoint("Grafana", {"app.kubernetes.io/name": "grafana"}, (3000,), _space("monitoring")),
    Endpoint("the ingress controller", {"app.kubernetes.io/name": "ingress-nginx"}, (443,), _space("ingress-nginx")),
    Endpoint("KEDA", {"app": "keda-operator"}, (9666,), _space("keda")),
    Endpoint("Milvus' operator", {"app.kubernetes.io/name": "milvus-operator"}, (8080,), _space("milvus-operator")),
    Endpoint("PostgreSQL's operator", {"app.kubernetes.io/name": "cloudnative-pg"}, (9443,), _space("cnpg-system")),
    Endpoint("a stranger", {"app.kubernetes.io/name": "gateway"}, (8080,), _space("default")),
    Endpoint("MLflow elsewhere", {"app.kubernetes.io/name": "mlflow"}, (5000,), _OTHER_ENVIRONMENT),
    Endpoint("a release elsewhere", {"app.kubernetes.io/name": "release"}, (), _OTHER_ENVIRONMENT),
    Endpoint("rag elsewhere", {"app.kubernetes.io/name": "rag"}, (8081,), _OTHER_ENVIRONMENT),
)


def named_policies(objects: Objects) -> dict[str, Manifest]:
    """The policies by name."""
    return {one["metadata"]["name"]: one for one in of_kind(objects, "NetworkPolicy")}
