"""What one request costs each process, on a running stack: the figures of costs.py come from here.

    python -m tests.load.capacity.measuring --env .nexus/env

Processor time is counted by process, not the clock on the wall, so other work on the machine does little harm: it makes
caches colder and cores slower, which shows as somewhat more processor time. What a process uses while nobody asks
is taken off.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import psutil
from opskit.contracts.chunks import EMBEDDING_DIMENSION, FIELD
from pymilvus import MilvusClient
from redis import Redis

from tests.e2e.clients import Nexus
from tests.e2e.stack import Stack, running_stack
from tests.e2e.waiting import until
from tests.evaluation import platform
from tests.evaluation.__main__ import DEV
from tests.evaluation.corpus import load_corpus, load_questions
from tests.load import made
from tests.load.samples import at_least
from tests.load.searching import chunks_of

_IDLE_SECONDS = 15.0
_WARM_UP = 10
_PARTS = ("gateway", "rag", "ingest", "ingest-worker", "triton", "milvus", "redis", "trainer", "prometheus")
_SAMPLE = 2000
_MIB = 1024 * 1024

Seconds = Mapping[str, float]


class Meter:
    """Processor seconds by part of the stack; of Triton by model, each of which has processes of its own."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        before, began = self.read(), time.monotonic()
        time.sleep(_IDLE_SECONDS)
        elapsed = time.monotonic() - began
        self.idle: Seconds = {part: spent / elapsed for part, spent in _difference(self.read(), before).items()}

    def spent(self, work: Callable[[], object]) -> Seconds:
        """Of each part while `work` runs, less what it spends on nothing."""
        before, began = self.read(), time.monotonic()
        work()
        time.sleep(1.0)  # what is written behind an answer belongs to it
        elapsed = time.monotonic() - began
        spent = _difference(self.read(), before)
        return {part: max(0.0, seconds - elapsed * self.idle.get(part, 0.0)) for part, seconds in spent.items()}

    def read(self) -> dict[str, float]:
        """Since each process began."""
        found: dict[str, float] = {}
        for name, process in self._processes():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            seconds = times.user + times.system + times.children_user + times.children_system
            found[name] = found.get(name, 0.0) + seconds
        return found

    def memory(self) -> Mapping[str, float]:
        """Resident MiB, pages shared between processes divided among them."""
        found: dict[str, float] = {}
        for name, process in self._processes():
            found[name] = found.get(name, 0.0) + process.memory_full_info().pss / _MIB
        return found

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        for part in _PARTS:
            process = self._stack.process(part)
            if process is None:
                continue
            yield part, process
            for child in process.children(recursive=True):
                yield _name(part, child), child


def _name(part: str, child: psutil.Process) -> str:
    if part != "triton":
        return part
    words = " ".join(child.cmdline())
    return next((f"triton {model}" for model in ("embedder", "reader", "ranker") if f"/{model}/" in words), part)


def _difference(now: Seconds, before: Seconds) -> dict[str, float]:
    return {part: seconds - before.get(part, 0.0) for part, seconds in now.items()}


def measure(stack: Stack, corpus: Path, skipped: int, most: int, asked_for: int) -> None:
    """Print all."""
    documents = dict(
        islice((load_corpus(corpus) if corpus.is_dir() else made.corpus()).documents.items(), skipped, skipped + most)
    )
    questions = (
        [one.text for one in load_questions(corpus / "questions.jsonl")] if corpus.is_dir() else made.questions()
    )
    asked = at_least(questions, asked_for)[:asked_for]
    redis = Redis(port=stack.port("redis"), db=1)
    meter = Meter(stack)
    _show("idle, CPU s a second", meter.idle)
    with Nexus(stack.url, stack.key, base=f"capacity-{time.time_ns()}", timeout=300.0) as nexus:
        queued: list[float] = []
        with ThreadPoolExecutor(1) as aside:
            watching = aside.submit(_task_bytes, redis, queued)
            spent = meter.spent(lambda: _ingest(nexus, documents))
            queued.append(-1.0)
            watching.result()
        chunks, count = chunks_of(nexus), len(documents)
        print(f"{count} documents, {chunks} chunks, {sum(map(len, documents.values())) / count:,.0f} bytes each")
        _show("ingest, CPU ms a chunk", _per(spent, chunks))
        _show("ingest, CPU ms a document", _per(spent, count))
        _show("PUT of what is known, CPU ms", _per(meter.spent(lambda: _put(nexus, documents)), count))
        for question in asked[:_WARM_UP]:
            nexus.ask(question)
        _show("answer, one client, CPU ms", _per(meter.spent(lambda: [nexus.ask(one) for one in asked]), len(asked)))
        _show("answer, streamed, CPU ms", _per(meter.spent(lambda: [nexus.stream(one) for one in asked]), len(asked)))
        _show("search, CPU ms", _per(meter.spent(lambda: [nexus.search(one) for one in asked]), len(asked)))
        conversation = f"capacity-{time.time_ns()}"
        for question in asked[:12]:
            nexus.ask(question, conversation_id=conversation)
        _show("memory, MiB", meter.memory())
        _conversation_bytes(Redis(port=stack.port("redis")))
        print(f"a queued task in Redis: {max((one for one in queued if one > 0), default=0.0):,.0f} bytes")
    _row_bytes(stack.env["NEXUS_MILVUS_URL"])


def _put(nexus: Nexus, documents: Mapping[str, bytes]) -> None:
    for key, data in documents.items():
        nexus.put(key, data).raise_for_status()


def _ingest(nexus: Nexus, documents: Mapping[str, bytes]) -> None:
    """Asking whether all is done costs, too: it is asked seldom."""
    _put(nexus, documents)
    until(lambda: not platform.unsettled(nexus), "every document is indexed", seconds=1800, every=5)


def _per(spent: Seconds, count: int) -> Seconds:
    return {part: 1000 * seconds / count for part, seconds in spent.items()}


def _show(title: str, figures: Mapping[str, float]) -> None:
    print(f"{title}: " + ", ".join(f"{part} {value:.4g}" for part, value in sorted(figures.items())), flush=True)


def _task_bytes(redis: Redis, found: list[float]) -> None:
    """Of a task that waits, until the last figure is negative."""
    while not (found and found[-1] < 0):
        waiting, size = redis.llen("ingest"), redis.memory_usage("ingest", samples=0)
        if waiting >= 20 and size:
            found.append(size / waiting)
        time.sleep(0.1)


def _conversation_bytes(redis: Redis) -> None:
    sizes = [redis.memory_usage(key, samples=0) for key in redis.scan_iter("nexus:conversation:*")]
    print(f"a conversation in Redis: {sum(sizes) / len(sizes):,.0f} bytes at a mean, {max(sizes):,} the longest")


def _row_bytes(url: str) -> None:
    """Of a chunk: mean bytes of each field of text, and of its vector."""
    client = MilvusClient(url)
    (collection,) = client.list_collections()
    texts = [
        FIELD.ID,
        FIELD.DOCUMENT_ID,
        FIELD.SCOPE,
        FIELD.DOCUMENT,
        FIELD.TITLE,
        FIELD.HEADING,
        FIELD.TEXT,
        FIELD.TERMS,
    ]
    rows = client.query(collection, filter=f'{FIELD.ID} like "chk_%"', output_fields=texts, limit=_SAMPLE)
    sizes = {field: sum(len(row[field].encode()) for row in rows) / len(rows) for field in texts}
    distinct = sum(len(set(row[FIELD.TERMS].split())) for row in rows) / len(rows)
    _show(
        f"a chunk's bytes over {len(rows)}",
        {**sizes, FIELD.DENSE: 4.0 * EMBEDDING_DIMENSION, "terms, distinct": distinct},
    )
    client.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.capacity.measuring", description=__doc__)
    parser.add_argument("--env", type=Path, required=True, help="env file of the stack")
    parser.add_argument("--corpus", type=Path, default=DEV, help="folder of documents (default: %(default)s)")
    parser.add_argument("--documents", type=int, default=60, help="so many of them (default: %(default)s)")
    parser.add_argument("--questions", type=int, default=160, help="asked each way (default: %(default)s)")
    parser.add_argument(
        "--skip", type=int, default=0, help="so many before them: the stack knows them and their vectors"
    )
    asked = parser.parse_args()
    measure(running_stack(asked.env), asked.corpus, asked.skip, asked.documents, asked.questions)
    return 0


if __name__ == "__main__":
    sys.exit(main())
