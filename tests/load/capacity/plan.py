"""From demand and costs to pods, processors, memory and disks."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.load.capacity.costs import COSTS, Costs
from tests.load.capacity.demand import Demand
from tests.load.capacity.queueing import MOST_BUSY, servers_for
from tests.load.capacity.simulation import House, Routing
from tests.load.capacity.vectors import FLAT, HNSW, RABITQ_SQ8, IndexType

GIB = 1024**3
MOST_WAIT = 0.25
"""Seconds before the reader that 95 % may wait at most: with an answer itself, well under the goal of one second."""
_TRITON_CORES = 4
_QUERY_CORES, _QUERY_GIB = 16, 128
_FEWEST = 2
"""Of each part that people wait for: one may die."""
_COPIES = 2
"""Of the index in memory, where there is a cluster: a query node may die."""


@dataclass(frozen=True)
class Part:
    """So many pods, and what each has."""

    name: str
    pods: int
    cores: float
    memory: float
    """GiB."""
    bound: str
    """What decides the number."""
    disk: float = 0.0
    """GiB."""


@dataclass(frozen=True)
class Plan:
    """Everything that runs, at the peak."""

    demand: Demand
    index: IndexType
    parts: Sequence[Part]

    @property
    def cores(self) -> float:
        return sum(part.pods * part.cores for part in self.parts)

    @property
    def memory(self) -> float:
        return sum(part.pods * part.memory for part in self.parts)

    @property
    def disk(self) -> float:
        return sum(part.pods * part.disk for part in self.parts)

    def pods(self, name: str) -> int:
        """Of a part."""
        return next(part.pods for part in self.parts if part.name == name)


def plan(demand: Demand, costs: Costs = COSTS, index: IndexType | None = None) -> Plan:
    """On one machine where that is enough, else in a cluster."""
    if fits_one_machine(demand, costs):
        return Plan(demand, FLAT, list(_one_machine(demand, costs)))
    chosen = index or index_for(demand)
    return Plan(demand, chosen, list(_cluster(demand, costs, chosen)))


def index_for(demand: Demand) -> IndexType:
    """A graph while it fits in memory for little money, then codes of the vectors."""
    if demand.chunks <= 50_000_000:
        return HNSW
    return RABITQ_SQ8


def fits_one_machine(demand: Demand, costs: Costs = COSTS) -> bool:
    """Half of two cores answer at the peak, and Milvus Lite, which looks at every row, still searches in time."""
    return demand.peak <= costs.stack_answers / 2 and demand.chunks <= costs.lite_chunks


def readers(rate: float, costs: Costs = COSTS) -> int:
    """Answers that must be read at once, over all pods of Triton."""
    return servers_for(rate, costs.reading, wait=MOST_WAIT)


def house(demand: Demand, made: Plan, costs: Costs = COSTS, routing: Routing = "turns") -> House:
    """The plan as the simulation takes it."""
    return House(
        rate=demand.peak,
        rags=made.pods("rag"),
        slots=int(costs.reader_slots),
        tritons=made.pods("triton"),
        readers=int(costs.readers_a_pod),
        around=costs.around,
        reading=costs.reading,
        spread=costs.reading_spread,
        routing=routing,
    )


def index_bytes(index: IndexType, costs: Costs = COSTS) -> float:
    """Of a chunk in the memory of a query node: its vector, its terms for BM25, its keys."""
    return index.memory + costs.terms_a_chunk * 8 + costs.keys_a_chunk


def segments(demand: Demand, costs: Costs = COSTS) -> float:
    """That a search goes through: those of the partition that its knowledge base lies in."""
    partition = demand.chunks / min(costs.partitions, max(1, demand.scopes))
    return max(1.0, partition * costs.row_bytes / (costs.segment_mib * 1024**2))


def sql_bytes(demand: Demand, costs: Costs = COSTS) -> dict[str, float]:
    """What PostgreSQL holds after the first months."""
    return {
        "answers": demand.answers_kept * costs.answer_row,
        "votes": demand.answers_kept * demand.votes * costs.vote_row,
        "catalogue": demand.chunks / costs.chunks_a_document * costs.document_row,
        "embedding cache": demand.chunks * costs.embedding_row,
    }


def _cluster(demand: Demand, costs: Costs, index: IndexType) -> Iterator[Part]:
    yield from _answering(demand, costs)
    yield from _ingesting(demand, costs)
    yield from _milvus(demand, costs, index)
    yield from _stores(demand, costs)
    yield Part("trainer and its worker", 3, 1, 2, "one run at a time, whatever the size")
    yield Part("alert-bridge, MLflow", 3, 0.25, 0.75, "fixed")
    yield Part("Prometheus, Alertmanager", 4, 1, 2, "fixed; grows with pods", disk=50)


def _answering(demand: Demand, costs: Costs) -> Iterator[Part]:
    peak = demand.peak
    put = demand.first_load / costs.chunks_a_document
    gateways = _pods(peak * costs.gateway_answer + put * costs.gateway_put)
    yield Part("gateway", gateways, 1, 0.5, "processor" if gateways > _FEWEST else "two, so that one may die")
    by_slots = math.ceil(readers(peak, costs) / costs.reader_slots)
    by_processor = _pods(peak * costs.rag_answer)
    rags = max(by_slots, by_processor)
    bound = "its slots for readers" if by_slots > by_processor else "processor"
    yield Part("rag", rags, 1, 0.5, bound if rags > _FEWEST else "two, so that one may die")
    reading = math.ceil(readers(peak, costs) / costs.readers_a_pod)
    embedding = math.ceil(_embedding(demand, costs) / (_TRITON_CORES * MOST_BUSY))
    bound = "reading, and embedding what is edited" if reading + embedding > _FEWEST else "two, so that one may die"
    yield Part("triton", max(_FEWEST, reading + embedding), _TRITON_CORES, 2, bound)
    sessions = demand.users * costs.at_once
    yield Part("ui", max(_FEWEST, math.ceil(sessions / costs.sessions_a_pod)), 1, 1, "sessions, a guess")


def _embedding(demand: Demand, costs: Costs) -> float:
    """Cores for questions and edits."""
    return demand.peak * costs.embedder_answer + demand.edits * costs.embedder_chunk


def _ingesting(demand: Demand, costs: Costs) -> Iterator[Part]:
    doors = _pods(demand.first_load / costs.chunks_a_document * costs.ingest_put)
    yield Part("ingest", doors, 0.5, 0.5, "two, so that one may die")
    workers = max(1, math.ceil(demand.edits / indexed(costs) / MOST_BUSY))
    yield Part("ingest-worker", workers, 1, 1.5, "edits; none while there are none")


def indexed(costs: Costs = COSTS) -> float:
    """Chunks a second that a worker gets through while people ask: it waits for the embedder most of its time."""
    return min(1 / costs.worker_chunk, 1 / costs.embedder_chunk)


def loading(demand: Demand, costs: Costs = COSTS) -> dict[str, float]:
    """Cores and pods while all documents are loaded for the first time, beside what answers."""
    rate = demand.first_load
    return {
        "chunks a second": rate,
        "ingest-worker": math.ceil(rate / indexed(costs) / MOST_BUSY),
        "triton": math.ceil(rate * costs.embedder_chunk / (_TRITON_CORES * MOST_BUSY)),
    }


def _milvus(demand: Demand, costs: Costs, index: IndexType) -> Iterator[Part]:
    memory = demand.chunks * index_bytes(index, costs) * _COPIES / costs.query_full / GIB
    cores = demand.peak * segments(demand, costs) * costs.segment_search / MOST_BUSY
    by_memory, by_cores = math.ceil(memory / _QUERY_GIB), math.ceil(cores / _QUERY_CORES)
    nodes = max(_FEWEST, by_memory, by_cores)
    share = min(1.0, max(memory / nodes / _QUERY_GIB, cores / nodes / _QUERY_CORES, 1 / 16))
    size = 2 ** math.ceil(math.log2(share * 16)) / 16
    on_disk = demand.chunks * (index.disk + costs.text_bytes) * _COPIES / nodes / GIB
    bound = "memory" if by_memory >= by_cores else "searching"
    yield Part("Milvus query node", nodes, size * _QUERY_CORES, size * _QUERY_GIB, bound, disk=on_disk)
    building = max(1, math.ceil(demand.edits * costs.index_build / (8 * MOST_BUSY)))
    yield Part(
        "Milvus data node", 1 + building, 8 if building > 1 else 2, 16 if building > 1 else 8, "building indexes"
    )
    yield Part("Milvus proxy, coordinator, streaming node", 6, 2, 4, "two of each")
    yield Part("etcd", 3, 1, 1, "a majority", disk=20)


def _stores(demand: Demand, costs: Costs) -> Iterator[Part]:
    held = sum(sql_bytes(demand, costs).values()) / GIB
    cores = max(2, 2 ** math.ceil(math.log2(max(1.0, held / 100))))
    yield Part("PostgreSQL", _FEWEST, min(32, cores), min(256, 4 * cores), "rows", disk=held * 1.3)
    redis = demand.users * costs.conversations * costs.conversation_bytes / GIB
    yield Part("Redis", _FEWEST, 1, max(1, math.ceil(2 * redis)), "conversations of a day", disk=10)


def _one_machine(demand: Demand, costs: Costs) -> Iterator[Part]:
    sql = sum(sql_bytes(demand, costs).values())
    rows = demand.chunks * costs.row_bytes
    memory = costs.stack_memory + 3 * rows / GIB
    yield Part("all of it", 1, 2, math.ceil(memory + 2), "its parts, not its load", disk=20 + (sql + 3 * rows) / GIB)


def _pods(cores: float) -> int:
    """Of one process each, which uses one core."""
    return max(_FEWEST, math.ceil(cores / MOST_BUSY))
