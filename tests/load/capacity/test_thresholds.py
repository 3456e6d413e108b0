"""Autoscalers go by what the model derives."""

from pathlib import Path

import pytest
import yaml

from tests.load.capacity.thresholds import gateway, ingest_worker, rag, triton_in_flight, triton_queue

AUTOSCALING = Path(__file__).resolve().parents[3] / "k8s" / "components" / "autoscaling"


def thresholds_of(part: str) -> list[float]:
    scaled = yaml.safe_load((AUTOSCALING / f"{part}.yaml").read_text())
    return [float(one["metadata"]["threshold"]) for one in scaled["spec"]["triggers"] if one["type"] == "prometheus"]


@pytest.mark.parametrize(
    ("part", "derived"), [("gateway", gateway()), ("rag", rag()), ("ingest-worker", ingest_worker())]
)
def test_a_scaler_adds_a_pod_where_the_model_says(part: str, derived: float) -> None:
    assert thresholds_of(part) == [derived]


def test_triton_is_scaled_by_how_many_are_read_and_by_how_long_they_wait() -> None:
    in_flight, queue = thresholds_of("triton")
    assert in_flight == pytest.approx(triton_in_flight(), abs=0.05)
    assert queue == pytest.approx(triton_queue(), rel=0.2)
