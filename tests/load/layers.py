"""The floor under each figure: the parts below the gateway, asked directly with the same questions."""

import queue
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import numpy as np
import tritonclient.grpc as triton
from opskit.contracts.chunks import FIELD, scope
from opskit.contracts.reader import EMBEDDER_MODEL, READER_MODEL, Passage, ReaderRequest
from opskit.lexical import lexical_text
from pymilvus import MilvusClient

from tests.e2e.clients import Nexus, metric
from tests.load.figures import Figure
from tests.load.samples import milliseconds, percentile

_PASSAGES = 8
_FEW = 5
_CANDIDATES = 20


def in_triton(nexus: Nexus, questions: Sequence[str], triton_grpc: str) -> Iterator[Figure]:
    """One embedding, and one reading of as many passages as an answer rests on, by gRPC."""
    client = triton.InferenceServerClient(triton_grpc)
    embedding = milliseconds(lambda question: _embedded(client, question), questions)
    yield Figure("answers", "floor: Triton's embedder by gRPC p50", percentile(embedding, 0.5), "ms")
    requests = [_reader_request(nexus, question, _PASSAGES) for question in questions]
    reading = milliseconds(lambda request: _read(client, request), requests)
    yield Figure("answers", "floor: Triton's reader by gRPC p50", percentile(reading, 0.5), "ms")
    few = [_reader_request(nexus, question, _FEW) for question in questions]
    reading = milliseconds(lambda request: _read(client, request), few)
    yield Figure("answers", f"Triton's reader, {_FEW} passages, by gRPC p50", percentile(reading, 0.5), "ms", goal=120)
    client.close()


def in_milvus(nexus: Nexus, questions: Sequence[str], milvus_url: str, triton_grpc: str) -> Iterator[Figure]:
    """Both legs of a search, by pymilvus."""
    embedder = triton.InferenceServerClient(triton_grpc)
    vectors = {question: _embedded(embedder, question) for question in questions}
    embedder.close()
    client = MilvusClient(milvus_url)
    (collection,) = client.list_collections()
    within = f'{FIELD.SCOPE} == "{scope("default", nexus.base)}"'

    def leg(field: str, data: object) -> object:
        shown = [FIELD.DOCUMENT, FIELD.TEXT]
        return client.search(
            collection, [data], filter=within, limit=_CANDIDATES, output_fields=shown, anns_field=field
        )

    dense = milliseconds(lambda question: leg(FIELD.DENSE, vectors[question]), questions)
    lexical = milliseconds(lambda question: leg(FIELD.SPARSE, lexical_text(question)), questions)
    client.close()
    yield Figure("search", "floor: dense search in Milvus p50", percentile(dense, 0.5), "ms")
    yield Figure("search", "floor: BM25 in Milvus p50, all terms of the question", percentile(lexical, 0.5), "ms")


def in_rag(nexus: Nexus, questions: Sequence[str], rag_url: str) -> Iterator[Figure]:
    """What rag itself needs of a search, by its own metrics. What is missing to the client's time is the gateway's, and
    HTTP twice."""
    counted = {
        "rag, its whole request": ("nexus_http_request_duration_seconds", {"handler": "/v1/search"}),
        "of it retrieval": ("nexus_retrieval_duration_seconds", {}),
    }
    before = {name: _sum_and_count(rag_url, metric_name, labels) for name, (metric_name, labels) in counted.items()}
    client = milliseconds(lambda question: nexus.search(question), questions)
    yield Figure("search", "layers: client, mean", sum(client) / len(client), "ms")
    for name, (metric_name, labels) in counted.items():
        mean = _mean(before[name], _sum_and_count(rag_url, metric_name, labels))
        yield Figure("search", f"layers: {name}, mean", mean * 1000, "ms")


def at_the_door(http: httpx.Client, times: int = 200) -> Figure:
    """A request that does nothing."""
    empty = milliseconds(lambda _: http.get("/livez"), range(times))
    return Figure("search", "floor: an empty request to the gateway p50", percentile(empty, 0.5), "ms")


def _sum_and_count(url: str, name: str, labels: dict[str, str]) -> tuple[float, float]:
    return metric(url, f"{name}_sum", **labels), metric(url, f"{name}_count", **labels)


def _mean(before: tuple[float, float], after: tuple[float, float]) -> float:
    count = after[1] - before[1]
    return (after[0] - before[0]) / count if count else 0.0


def _embedded(client: Any, text: str) -> list[float]:
    given = triton.InferInput("TEXT", [1, 1], "BYTES")
    given.set_data_from_numpy(np.array([[text.encode()]], dtype=np.object_))
    vectors: list[list[float]] = client.infer(EMBEDDER_MODEL, [given]).as_numpy("EMBEDDING").tolist()
    return vectors[0]


def _reader_request(nexus: Nexus, question: str, passages: int) -> ReaderRequest:
    hits = nexus.search(question, top_k=passages)
    shown = [
        Passage(number=number, document=hit["document"], title=hit["title"], heading=hit["heading"], text=hit["text"])
        for number, hit in enumerate(hits, 1)
    ]
    return ReaderRequest(question=question, passages=shown)


def _read(client: Any, request: ReaderRequest) -> int:
    """Number of events until Triton says that there are no more."""
    events: queue.SimpleQueue[tuple[Any, Any]] = queue.SimpleQueue()
    given = triton.InferInput("REQUEST", [1], "BYTES")
    given.set_data_from_numpy(np.array([request.model_dump_json().encode()], dtype=np.object_))
    client.start_stream(callback=lambda result, error: events.put((result, error)))
    client.async_stream_infer(READER_MODEL, [given], enable_empty_final_response=True)
    heard = 0
    while True:
        result, error = events.get(timeout=60)
        if error is not None:
            raise error
        if result.get_response().parameters["triton_final_response"].bool_param:
            client.stop_stream()
            return heard
        heard += 1
