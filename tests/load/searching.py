"""How fast `/v1/search` is over ten thousand chunks, alone and while documents are being written."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from opskit.contracts.chunks import FIELD, scope
from opskit.lexical import lexical_text
from pymilvus import MilvusClient

from tests.e2e.clients import Nexus
from tests.e2e.library import long_document
from tests.e2e.waiting import until
from tests.evaluation.baselines import platform_embedder
from tests.evaluation.platform import unsettled
from tests.load.figures import Figure, percentile

GROUP = "search"
CHUNKS = 10_000
_SECTIONS = 250
_WARM_UP = 20
_INDEX_SECONDS = 900.0


def measure(nexus: Nexus, questions: Sequence[str], milvus_url: str) -> Iterator[Figure]:
    """Fill the knowledge base up to `CHUNKS`, then search it."""
    yield Figure(GROUP, "chunks in the knowledge base", _fill(nexus), "")
    for question in questions[:_WARM_UP]:
        nexus.search(question)
    idle = _times(lambda question: nexus.search(question), questions * 3)
    yield Figure(GROUP, "p50, one client", percentile(idle, 0.5), "ms", goal=30)
    yield Figure(GROUP, "p95, one client", percentile(idle, 0.95), "ms", goal=80)
    busy = _while_writing(nexus, questions * 3)
    yield Figure(GROUP, "p50 while documents are written", percentile(busy, 0.5), "ms", goal=30)
    yield Figure(GROUP, "p95 while documents are written", percentile(busy, 0.95), "ms", goal=80)
    yield from _floors(nexus, questions, milvus_url)


def chunks(nexus: Nexus) -> int:
    """Chunks of the knowledge base."""
    bases = nexus.http.get("/v1/knowledge-bases").raise_for_status().json()["knowledge_bases"]
    return next((int(base["chunks"]) for base in bases if base["name"] == nexus.base), 0)


def _fill(nexus: Nexus) -> int:
    missing = CHUNKS - chunks(nexus)
    for number in range(max(0, -(-missing // _SECTIONS))):
        nexus.put(f"made/book-{number}.md", long_document(100 + number, _SECTIONS)).raise_for_status()
    until(lambda: not unsettled(nexus), "all is indexed", seconds=_INDEX_SECONDS, every=1)
    return chunks(nexus)


def _times(search: Callable[[str], object], questions: Sequence[str]) -> list[float]:
    """Milliseconds of each search."""
    times = []
    for question in questions:
        began = time.perf_counter()
        search(question)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _while_writing(nexus: Nexus, questions: Sequence[str]) -> list[float]:
    """Searches while another client puts new documents of ten chunks as fast as they are indexed."""
    stop, written = threading.Event(), []

    def write() -> None:
        with nexus.within(f"{nexus.base}-written") as other:
            for number in count():
                if stop.is_set():
                    return
                other.add(f"new-{number}.md", long_document(10_000 + number, 10), seconds=120)
                written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: written, "the first document is written", seconds=60)
        return _times(lambda question: nexus.search(question), questions)
    finally:
        stop.set()
        writer.join()


def _floors(nexus: Nexus, questions: Sequence[str], milvus_url: str) -> Iterator[Figure]:
    """What the same searches cost below us, asked directly."""
    embed = platform_embedder(nexus.http)
    embedding = _times(lambda question: embed([question]), questions)
    yield Figure(GROUP, "floor: one embedding through the API p50", percentile(embedding, 0.5), "ms")
    vectors = dict(zip(questions, embed(questions), strict=True))
    client = MilvusClient(milvus_url)
    (collection,) = client.list_collections()
    within = f'{FIELD.SCOPE} == "{scope("default", nexus.base)}"'

    def leg(field: str, data: object) -> object:
        return client.search(
            collection, [data], filter=within, limit=20, output_fields=[FIELD.TEXT], anns_field=field
        )  # fmt: skip

    dense = _times(lambda question: leg(FIELD.DENSE, vectors[question]), questions)
    lexical = _times(lambda question: leg(FIELD.SPARSE, lexical_text(question)), questions)
    yield Figure(GROUP, "floor: dense search in Milvus Lite p50", percentile(dense, 0.5), "ms")
    yield Figure(GROUP, "floor: BM25 search in Milvus Lite p50", percentile(lexical, 0.5), "ms")
    door = _times(lambda _: nexus.http.get("/livez"), questions)
    yield Figure(GROUP, "floor: an empty request to the gateway p50", percentile(door, 0.5), "ms")
