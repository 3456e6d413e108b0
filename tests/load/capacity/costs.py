"""What one request, document or chunk costs, and where each number comes from. Change one, and every table follows."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class About:
    """A number's unit, meaning and origin."""

    unit: str
    what: str
    source: str


def _figure(value: float, unit: str, what: str, source: str) -> Any:
    return field(default=value, metadata={"about": About(unit, what, source)})


_BENCH = "[benchmarks](benchmarks.md), an idle machine"
_SHARE = "measured by process, scaled to an idle machine"
_BUSY = "measured, PostgreSQL 15 on a busy machine whose disk alone would allow 360"
_SQL = "measured, PostgreSQL 15"
_HERE = "measured"
_SETTING = "setting"
_GUESS = "**assumed**"
_MILVUS = "[Milvus' defaults](https://milvus.io/docs/configure_datacoord.md)"
_A100 = "[Llama 3.1 8B, vLLM, A100](https://johnmusgrave.com/p/vllm-throughput-latency-sweep-on), 8 at once"


@dataclass(frozen=True)
class Costs:
    """The numbers that the model begins with, for the extractive reader unless said otherwise."""

    stack_answers: float = _figure(7.5, "/s", "answers, all parts on 2 cores, 8 clients", _BENCH)
    answer: float = _figure(0.165, "s", "an answer, alone", _BENCH)
    reading: float = _figure(0.136, "s", "of it in the reader (2 threads)", _BENCH)
    reading_spread: float = _figure(0.25, "", "of reading times: deviation over mean", _BENCH)
    around: float = _figure(0.029, "s", "of it gateway, rag, retrieval", _BENCH)

    gateway_answer: float = _figure(0.0028, "CPU s", "gateway, an answer", _SHARE)
    rag_answer: float = _figure(0.0075, "CPU s", "rag, an answer", _SHARE)
    reader_answer: float = _figure(0.240, "CPU s", "Triton's reader, an answer", _SHARE)
    embedder_answer: float = _figure(0.0022, "CPU s", "Triton's embedder, an answer", _SHARE)
    lite_answer: float = _figure(0.0067, "CPU s", "Milvus Lite, an answer", _SHARE)

    chunks_a_document: float = _figure(14.6, "", "chunks a document", _BENCH)
    document_bytes: float = _figure(9_500, "B", "a document", _HERE)
    worker_chunk: float = _figure(0.0021, "CPU s", "ingest-worker, a chunk: parse, split, write", _SHARE)
    embedder_chunk: float = _figure(0.025, "CPU s", "Triton's embedder, a chunk", _SHARE)
    gateway_put: float = _figure(0.0016, "CPU s", "gateway, a document put", _SHARE)
    ingest_put: float = _figure(0.0013, "CPU s", "ingest, a document put", _SHARE)
    text_bytes: float = _figure(1_340, "B", "a chunk's texts: words, terms, headings, keys", _HERE)
    row_bytes: float = _figure(3_250, "B", "a chunk's row in Milvus, vector included", _HERE)
    terms_a_chunk: float = _figure(47, "", "different terms of a chunk, 8 B each in BM25's index", _HERE)
    keys_a_chunk: float = _figure(150, "B", "of a chunk's keys held in memory by Milvus", _GUESS)

    answer_row: float = _figure(4_200, "B", "an answer", _SQL)
    vote_row: float = _figure(4_400, "B", "a vote with its answer", _SQL)
    document_row: float = _figure(600, "B", "a document in the catalogue", _SQL)
    embedding_row: float = _figure(2_200, "B", "a chunk in the embedding cache", _SQL)
    commits: float = _figure(90, "/s", "answers recorded, one after the other (one lock)", _BUSY)

    conversation_bytes: float = _figure(2_700, "B", "a conversation of twelve turns in Redis", _HERE)
    task_bytes: float = _figure(1_040, "B", "a queued task in Redis", _HERE)
    gateway_memory: float = _figure(96, "MiB", "gateway, resident (shared pages divided)", _HERE)
    rag_memory: float = _figure(195, "MiB", "rag, resident", _HERE)
    worker_memory: float = _figure(363, "MiB", "ingest-worker with its parser, resident", _HERE)
    triton_memory: float = _figure(610, "MiB", "Triton with two readers and two embedders, resident", _HERE)
    stack_memory: float = _figure(2.5, "GiB", "all parts of one machine", _BENCH)
    lite_chunks: float = _figure(
        50_000, "", "chunks that Milvus Lite searches in time: 12 ms for 10,000, twice", _BENCH
    )

    gateway_answers: float = _figure(
        64, "", "answers in flight that a gateway takes on", "`NEXUS_MAX_ANSWERS_IN_FLIGHT`"
    )
    reader_slots: float = _figure(4, "", "answers that a rag lets be read at once", "`NEXUS_READERS`")
    readers_a_pod: float = _figure(2, "", "readers in a pod of Triton, of two threads each", _SETTING)
    partitions: int = _figure(16, "", "partitions of a collection", _SETTING)

    segment_mib: float = _figure(1_024, "MiB", "a segment of Milvus", _MILVUS)
    segment_search: float = _figure(0.002, "CPU s", "both searches in one segment", _GUESS)
    query_full: float = _figure(0.85, "", "how full a query node may be before writes are slowed", _MILVUS)
    index_build: float = _figure(0.002, "CPU s", "Milvus' index, a chunk", _GUESS)
    conversations: float = _figure(3, "", "conversations of a user within 24 hours", _GUESS)
    at_once: float = _figure(0.1, "", "of all users, the share with the chatbot open", _GUESS)
    sessions_a_pod: float = _figure(200, "", "open chatbots a pod", _GUESS)

    model_answer: float = _figure(128, "tokens", "an answer of a language model", _GUESS)
    model_tokens: float = _figure(495, "tokens/s", "written by a GPU, 8 answers at once", _A100)
    model_stream: float = _figure(62, "tokens/s", "of one answer then", _A100)


COSTS = Costs()


def known(costs: Costs) -> Iterator[tuple[float, About]]:
    """Each number and what is to be said of it."""
    for one in fields(costs):
        yield getattr(costs, one.name), one.metadata["about"]
