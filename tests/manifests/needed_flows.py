"""Who has to speak to whom, and on which port. Whatever is not here must not be possible.

`destination:port` on the left, who opens connections to it on the right.
"""

from collections.abc import Mapping

from tests.manifests.flows import Flow
from tests.manifests.rendering import Objects, of_kind

SERVICES = {
    "gateway:8080": "ui smoke prometheus",
    "rag:8081": "gateway trainer trainer-worker prometheus",
    "ingest:8082": "gateway prometheus",
    "trainer:8083": "gateway rag prometheus",
    "alert-bridge:8084": "gateway trainer trainer-worker alertmanager prometheus",
    "ui:8501": "prometheus",
    "ingest-worker:9101": "prometheus",
    "trainer-worker:9102": "prometheus",
    "triton:8001": "rag ingest ingest-worker trainer trainer-worker release",
    "triton:8002": "prometheus",
    "mlflow:5000": "trainer trainer-worker release prometheus",
    "prometheus:9090": "prometheus trainer-worker ui",
    "alertmanager:9093": "prometheus",
    "alertmanager:9094": "alertmanager",
    "milvus:19530": "rag ingest ingest-worker",
    "milvus:9091": "prometheus",
    "etcd:2379": "milvus",
    "etcd:2380": "etcd",
}
OF_ARGO = {
    "retraining-event-source:12000": "alert-bridge",
    "event-bus:4222": "documents-event-source retraining-event-source documents-sensor retraining-sensor event-bus",
    "event-bus:6222": "event-bus",
    "event-bus:8222": "event-bus",
    "rag:8081": "retraining-workflow",
    "alert-bridge:8084": "retraining-workflow",
    "mlflow:5000": "retraining-workflow",
    "prometheus:9090": "retraining-workflow",
    "triton:8001": "retraining-workflow ingestion-workflow",
    "milvus:19530": "ingestion-workflow",
    "retraining-workflow:29400": "retraining-workflow",
}
FROM_ELSEWHERE = {
    "prometheus:9090": "Grafana",
    "milvus:19530": "Milvus' operator",
    "milvus:9091": "Milvus' operator",
    "mlflow:5000": "a release elsewhere",
}
_SERVICES_WITH_A_DATABASE = "alert-bridge gateway ingest ingest-worker mlflow rag release trainer trainer-worker"
POSTGRES_CLIENTS = f"{_SERVICES_WITH_A_DATABASE} retraining-workflow ingestion-workflow"
REDIS_CLIENTS = "gateway ingest ingest-worker rag trainer trainer-worker ingestion-workflow"
S3_CLIENTS = "ingest ingest-worker milvus mlflow retraining-workflow ingestion-workflow documents-event-source"
SPEAK_TO_KUBERNETES = "prometheus retraining-workflow ingestion-workflow documents-sensor retraining-sensor"


def needed(objects: Objects, everybody: set[str]) -> set[Flow]:
    """All flows that this environment needs, by which stores and components it has."""
    kinds = {one["kind"] for one in objects}
    here = {one["metadata"]["name"] for one in of_kind(objects, "Deployment")}
    policies = {one["metadata"]["name"] for one in of_kind(objects, "NetworkPolicy")}
    flows = {*_flows(SERVICES), *_flows(OF_ARGO), *_flows(FROM_ELSEWHERE)}
    flows |= {Flow(name, "cluster DNS", 53) for name in everybody}
    flows |= {Flow("release", "MLflow elsewhere", 5000)}
    flows |= _to_the_internet(SPEAK_TO_KUBERNETES, 443, 6443)
    # Milvus' parts speak to each other on every port they have.
    flows |= {Flow("milvus", "milvus", port) for port in (19530, 9091)}
    if "Cluster" in kinds:
        flows |= _flows({"postgres:5432": f"{POSTGRES_CLIENTS} postgres"})
        flows |= _flows({"postgres:5432": "PostgreSQL's operator", "postgres:8000": "PostgreSQL's operator"})
        flows |= _to_the_internet("postgres", 443, 6443)
    else:
        flows |= _to_the_internet(POSTGRES_CLIENTS, 5432)
    flows |= (
        _flows({"redis:6379": REDIS_CLIENTS}) if "redis" in policies else _to_the_internet(REDIS_CLIENTS, 6379, 6380)
    )
    flows |= (
        _flows({"minio:9000": f"{S3_CLIENTS} minio-job"}) if "minio" in policies else _to_the_internet(S3_CLIENTS, 443)
    )
    if "Ingress" in kinds:
        flows |= _flows({"gateway:8080": "the ingress controller", "ui:8501": "the ingress controller"})
    if "ScaledObject" in kinds:
        flows |= _flows({"prometheus:9090": "KEDA"})
    if "vllm" in here:
        flows |= {*_flows({"vllm:9000": "rag prometheus"}), *_to_the_internet("vllm", 443)}
    if "triton-fetches" in policies:
        flows |= _to_the_internet("triton", 443)
    return flows


def _flows(table: Mapping[str, str]) -> set[Flow]:
    flows = set()
    for destination, sources in table.items():
        name, _, port = destination.rpartition(":")
        flows |= {Flow(source, name, int(port)) for source in _names(sources)}
    return flows


def _to_the_internet(sources: str, *ports: int) -> set[Flow]:
    return {Flow(source, "the internet", port) for source in _names(sources) for port in ports}


def _names(text: str) -> list[str]:
    """Names of ours are one word each; those of neighbours are whole."""
    return [text] if text[0].isupper() or (" " in text and text.split()[0] in ("a", "the")) else text.split()
