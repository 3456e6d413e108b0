"""When an autoscaler adds a pod: the thresholds of k8s/components/autoscaling, derived from the costs.

HPA and KEDA make as many pods as `signal / threshold`. So a threshold is what one pod holds when it is as busy as it
may be: by Little's law, its rate there times the time that a request stays.
"""

import math
from dataclasses import dataclass, replace

from tests.load.capacity.costs import COSTS, Costs
from tests.load.capacity.plan import indexed
from tests.load.capacity.queueing import MOST_BUSY, mean_wait

ROOM = 0.6
"""Of a limit that turns people away, the share that is used before a pod is added: the next is up within a minute."""
DRAIN_SECONDS = 150
"""A backlog is worked off in this time: a quarter of what NexusIngestStale allows, as pods must first come."""


@dataclass(frozen=True)
class Threshold:
    """For one part."""

    part: str
    signal: str
    value: float
    unit: str
    why: str


def gateway(costs: Costs = COSTS) -> float:
    """Requests in flight for a pod."""
    return math.floor(ROOM * costs.gateway_answers)


def rag(costs: Costs = COSTS) -> float:
    """Answers in flight for a pod."""
    by_slots = MOST_BUSY * costs.reader_slots * costs.answer / costs.reading
    by_processor = MOST_BUSY / costs.rag_answer * costs.answer
    return math.floor(10 * min(by_slots, by_processor)) / 10


def rag_busy(costs: Costs = COSTS) -> float:
    """Of a core, what a pod uses at its threshold."""
    return rag(costs) / costs.answer * costs.rag_answer


def triton_in_flight(costs: Costs = COSTS) -> float:
    """Answers being read, and waiting for it, for a pod."""
    return MOST_BUSY * costs.readers_a_pod


def triton_queue(costs: Costs = COSTS, pods: int = 2) -> float:
    """Milliseconds before the reader, a mean, where as many pods as this are as busy as they may be. Reading times
    differ less than by chance, which makes waits shorter (Kingman, Allen and Cunneen)."""
    servers = int(pods * costs.readers_a_pod)
    rate = MOST_BUSY * servers / costs.reading
    return 1000 * mean_wait(servers, rate, costs.reading) * (1 + costs.reading_spread**2) / 2


def ingest_worker(costs: Costs = COSTS) -> float:
    """Documents that wait or are being worked on, for a pod."""
    return round(DRAIN_SECONDS * indexed(costs) / costs.chunks_a_document, -1)


def thresholds(costs: Costs = COSTS) -> list[Threshold]:
    """All of them."""
    return [
        Threshold(
            "gateway",
            'nexus_gateway_requests_in_flight{kind="requests"}',
            gateway(costs),
            "a pod",
            f"of {costs.gateway_answers:.0f} answers that it takes on before it turns people away, {ROOM:.0%}",
        ),
        Threshold(
            "rag",
            'nexus_gateway_requests_in_flight{kind="answers"}',
            rag(costs),
            "a pod",
            f"its {costs.reader_slots:.0f} slots for readers are busy for {MOST_BUSY:.0%} of the time",
        ),
        Threshold(
            "rag with NEXUS_READERS=8",
            'nexus_gateway_requests_in_flight{kind="answers"}',
            rag(replace(costs, reader_slots=8)),
            "a pod",
            f"the same, and still only {rag_busy(replace(costs, reader_slots=8)):.0%} of a core",
        ),
        Threshold("gateway, rag", "processor", MOST_BUSY, "cores a pod", "one process uses one core"),
        Threshold(
            "triton",
            "nexus_readers_busy + nexus_readers_waiting",
            triton_in_flight(costs),
            "a pod",
            f"its {costs.readers_a_pod:.0f} readers are busy for {MOST_BUSY:.0%} of the time",
        ),
        Threshold(
            "triton",
            'nv_inference_queue_duration_us{model=~"reader.*"} for a request',
            round(triton_queue(costs), -1),
            "ms",
            "the mean wait before two pods that are as busy",
        ),
        Threshold(
            "ingest-worker",
            'nexus_documents{status=~"queued|indexing"}',
            ingest_worker(costs),
            "a pod",
            f"what a pod works off in {DRAIN_SECONDS} s while people ask; none while nothing is due",
        ),
    ]
