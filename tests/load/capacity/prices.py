"""What a plan costs. Prices are an input: these are round numbers of the kind that clouds ask, no one's list."""

from dataclasses import dataclass

from tests.load.capacity.costs import COSTS, Costs
from tests.load.capacity.demand import Demand
from tests.load.capacity.plan import GIB, Plan
from tests.load.capacity.queueing import MOST_BUSY

_HOURS = 730
"""Of a month."""


@dataclass(frozen=True)
class Prices:
    """US dollars."""

    core_hour: float = 0.04
    gib_hour: float = 0.005
    disk_gib_month: float = 0.10
    object_gib_month: float = 0.023
    gpu_hour: float = 2.0


PRICES = Prices()


@dataclass(frozen=True)
class Bill:
    """Of a month, by what is paid for."""

    cores: float
    memory: float
    disks: float
    objects: float
    answers: float

    @property
    def month(self) -> float:
        return self.cores + self.memory + self.disks + self.objects

    @property
    def a_thousand(self) -> float:
        """Of 1,000 answers."""
        return 1000 * self.month / self.answers


def bill(plan: Plan, costs: Costs = COSTS, prices: Prices = PRICES) -> Bill:
    """As if the peak lasted all month: what is never scaled down."""
    return Bill(
        cores=plan.cores * prices.core_hour * _HOURS,
        memory=plan.memory * prices.gib_hour * _HOURS,
        disks=plan.disk * prices.disk_gib_month,
        objects=stored(plan.demand, costs) * prices.object_gib_month,
        answers=plan.demand.answers_a_month,
    )


def stored(demand: Demand, costs: Costs = COSTS) -> float:
    """GiB in the object store: documents, and what Milvus keeps of them (twice: rows and their indexes)."""
    documents = demand.chunks / costs.chunks_a_document * costs.document_bytes
    return (documents + 2 * demand.chunks * costs.row_bytes) / GIB


def gpus(rate: float, costs: Costs = COSTS) -> float:
    """GPUs that write so many answers a second, not rounded."""
    return rate * costs.model_answer / (costs.model_tokens * MOST_BUSY)


def read_by_processors(costs: Costs = COSTS, prices: Prices = PRICES) -> float:
    """1,000 answers of the extractive reader: processors alone, busy as they may be."""
    spent = costs.gateway_answer + costs.rag_answer + costs.embedder_answer + costs.reader_answer
    return 1000 * spent / MOST_BUSY / 3600 * prices.core_hour


def written_by_gpus(costs: Costs = COSTS, prices: Prices = PRICES) -> float:
    """1,000 answers of a language model: GPUs alone, busy as they may be."""
    return 1000 * gpus(1.0, costs) / 3600 * prices.gpu_hour
