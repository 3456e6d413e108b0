"""How fast `/v1/search` is over ten thousand chunks, alone and while documents are being written."""

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from tests.e2e.clients import Nexus
from tests.e2e.library import long_document
from tests.e2e.waiting import until
from tests.evaluation.platform import unsettled
from tests.load import layers
from tests.load.figures import Figure
from tests.load.samples import at_least, milliseconds, percentile

GROUP = "search"
CHUNKS = 10_000
WRITTEN_SUFFIX = "-written"
_SECTIONS = 250
_SAMPLES = 240
_INDEX_SECONDS = 900.0
_WARM_UP = [f"How often is the {part} greased?" for part in ("valve", "rotor", "gasket", "nozzle", "bearing")]


def measure(
    nexus: Nexus, questions: Sequence[str], *, chunks: int, milvus_url: str, rag_url: str, triton_grpc: str
) -> Iterator[Figure]:
    """Fill the knowledge base up to so many chunks, then search it."""
    yield Figure(GROUP, "chunks in the knowledge base", _fill(nexus, chunks), "")
    for question in _WARM_UP * 4:
        nexus.search(question)
    asked = at_least(questions, _SAMPLES)
    idle = milliseconds(nexus.search, asked)
    yield Figure(GROUP, "p50, one client", percentile(idle, 0.5), "ms", goal=30)
    yield Figure(GROUP, "p95, one client", percentile(idle, 0.95), "ms", goal=80)
    first = percentile(idle[: len(questions)], 0.5)
    yield Figure(GROUP, "p50 of questions that were never asked before", first, "ms")
    busy, documents = _while_writing(nexus, lambda: milliseconds(nexus.search, asked))
    yield Figure(GROUP, "p50 while documents are written", percentile(busy, 0.5), "ms", goal=30)
    yield Figure(GROUP, "p95 while documents are written", percentile(busy, 0.95), "ms", goal=80)
    yield Figure(GROUP, "documents of ten chunks written meanwhile", documents / (sum(busy) / 1000), "/s")
    yield from layers.in_rag(nexus, questions, rag_url)
    yield from layers.in_milvus(nexus, questions, milvus_url, triton_grpc)
    yield layers.at_the_door(nexus.http)


def chunks_of(nexus: Nexus) -> int:
    """Chunks of the knowledge base."""
    bases = nexus.http.get("/v1/knowledge-bases").raise_for_status().json()["knowledge_bases"]
    return next((int(base["chunks"]) for base in bases if base["name"] == nexus.base), 0)


def _fill(nexus: Nexus, chunks: int) -> int:
    missing = chunks - chunks_of(nexus)
    for number in range(max(0, -(-missing // _SECTIONS))):
        nexus.put(f"made/book-{number}.md", long_document(100 + number, _SECTIONS)).raise_for_status()
    until(lambda: not unsettled(nexus), "all is indexed", seconds=_INDEX_SECONDS, every=1)
    return chunks_of(nexus)


def _while_writing(nexus: Nexus, searches: Callable[[], list[float]]) -> tuple[list[float], int]:
    """What `searches` measures while another client puts new documents of ten chunks as fast as they are indexed, and
    how many of them it put."""
    stop, written = threading.Event(), []

    def write() -> None:
        with nexus.within(f"{nexus.base}{WRITTEN_SUFFIX}") as other:
            for number in count():
                if stop.is_set():
                    return
                other.add(f"new-{number}.md", long_document(10_000 + number, 10), seconds=120)
                written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: written, "the first document is written", seconds=60)
        before = len(written)
        times = searches()
        return times, len(written) - before
    finally:
        stop.set()
        writer.join()
