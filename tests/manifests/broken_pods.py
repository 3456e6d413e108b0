"""Mistakes in what pods are and whom they may speak to: security, probes, labels, images, network policies."""

from tests.manifests.breaking import Break, container, deployment, peers, policy, remove, to
from tests.manifests.rendering import named, of_kind

PODS: dict[str, Break] = {
    # security
    "a container as root": Break(
        "unrestricted",
        "Deployment/ui: may run as root",
        lambda all_: deployment(all_, "ui")["spec"]["securityContext"].update(runAsNonRoot=False),
    ),
    "a container that keeps capabilities": Break(
        "unrestricted",
        "rag keeps capabilities",
        lambda all_: container(all_, "rag")["securityContext"].update(capabilities={"drop": ["NET_RAW"]}),
    ),
    "a root that can be written to": Break(
        "unrestricted",
        "rag may write to its root",
        lambda all_: container(all_, "rag")["securityContext"].pop("readOnlyRootFilesystem"),
    ),
    "a folder of the node": Break(
        "unrestricted",
        "volume tmp is of a kind that is not allowed",
        lambda all_: deployment(all_, "rag")["spec"]["volumes"].__setitem__(
            0, {"name": "tmp", "hostPath": {"path": "/"}}
        ),
    ),
    "a namespace that enforces nothing": Break(
        "unenforced",
        "is not restricted",
        lambda all_: of_kind(all_, "Namespace")[0]["metadata"]["labels"].pop("pod-security.kubernetes.io/enforce"),
    ),
    "a container without limits": Break(
        "unlimited",
        "gateway has no limits of memory",
        lambda all_: container(all_, "gateway")["resources"]["limits"].pop("memory"),
    ),
    "a token that nobody needs": Break(
        "needless_tokens",
        "Deployment/rag: carries a token",
        lambda all_: deployment(all_, "rag")["spec"].pop("automountServiceAccountToken"),
    ),
    # probes and ends
    "a container without a probe": Break(
        "missing_probes",
        "trainer has no livenessProbe",
        lambda all_: container(all_, "trainer").pop("livenessProbe"),
    ),
    "a probe of no path": Break(
        "unknown_paths",
        "asks for /healthz",
        lambda all_: container(all_, "trainer")["livenessProbe"]["httpGet"].update(path="/healthz"),
    ),
    "a pod that ends abruptly": Break(
        "abrupt_ends",
        "rag is stopped while addresses still lead to it",
        lambda all_: container(all_, "rag").pop("lifecycle"),
    ),
    "a pod that is killed too early": Break(
        "abrupt_ends",
        "Deployment/rag: is killed before the 65 s",
        lambda all_: deployment(all_, "rag")["spec"].update(terminationGracePeriodSeconds=30),
    ),
    "a Deployment without a budget": Break(
        "unprotected",
        "Deployment/rag: has no disruption budget",
        lambda all_: remove(all_, "PodDisruptionBudget", "rag"),
    ),
    "a Deployment on one node": Break(
        "unprotected",
        "Deployment/rag: may lie on one node",
        lambda all_: deployment(all_, "rag")["spec"].pop("topologySpreadConstraints"),
    ),
    # labels, images, secrets
    "a label that is missing": Break(
        "unlabelled",
        "Service/rag: has no label app.kubernetes.io/part-of",
        lambda all_: named(all_, "Service", "rag")["metadata"]["labels"].pop("app.kubernetes.io/part-of"),
    ),
    "an object twice": Break(
        "doubled",
        "Service/rag",
        lambda all_: all_.append(named(all_, "Service", "rag")),
    ),
    "an object in another namespace": Break(
        "in_wrong_namespaces",
        "Service/rag: lies in default",
        lambda all_: named(all_, "Service", "rag")["metadata"].update(namespace="default"),
    ),
    "an image of another version": Break(
        "wrong_images",
        "nexus/rag:0.0.9 is not the version of this code",
        lambda all_: container(all_, "rag").update(image="nexus/rag:0.0.9"),
    ),
    "an image that nobody builds": Break(
        "wrong_images",
        "nobody builds nexus/rags:0.1.0",
        lambda all_: container(all_, "rag").update(image="nexus/rags:0.1.0"),
    ),
    "an image without a version": Break(
        "wrong_images",
        "nexus/rag has no version",
        lambda all_: container(all_, "rag").update(image="nexus/rag"),
    ),
    "an image of Bitnami's": Break(
        "wrong_images",
        "is Bitnami's",
        lambda all_: container(all_, "rag").update(image="docker.io/bitnami/redis:7"),
    ),
    "a secret in git": Break(
        "secrets_in_git",
        "Secret/nexus-rag: a secret in git",
        lambda all_: all_.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nexus-rag"}}),
    ),
    # the network
    "a needed way out that is closed": Break(
        "impossible_flows",
        "rag → milvus:19530",
        lambda all_: peers(all_, "rag", "egress", 19530).clear() or peers(all_, "rag", "egress", 19530).append(to("x")),
    ),
    "a needed way in that is closed": Break(
        "impossible_flows",
        "rag → trainer:8083",
        lambda all_: peers(all_, "trainer", "ingress", 8083).remove(to("rag")),
    ),
    "a way in that nobody needs": Break(
        "needless_flows",
        "a stranger → gateway:8080",
        lambda all_: peers(all_, "gateway", "ingress", 8080).append({"namespaceSelector": {}}),
    ),
    "a default that allows": Break(
        "needless_flows",
        "prefetch → the internet:443",
        lambda all_: [remove(all_, "NetworkPolicy", "default-deny"), remove(all_, "NetworkPolicy", "dns")],
    ),
    "a way into the internet": Break(
        "needless_flows",
        "rag → the internet:443",
        lambda all_: policy(all_, "rag")["egress"].append({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}),
    ),
}
