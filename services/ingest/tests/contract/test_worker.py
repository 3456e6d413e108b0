"""The worker as it is run, with Redis and Milvus Lite: what it is told to index is indexed, also when it is killed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from ingest.adapters.celery_queue import CeleryQueue, create_task_app
from ingest.adapters.folder_store import FolderStore
from ingest.adapters.milvus_index import QUIET, MilvusIndex
from ingest.catalogue import Catalogue
from ingest.claims import Claims
from ingest.dispatch import dispatch
from ingest.documents import Documents
from ingest.keys import DocumentName
from opskit.contracts.chunks import FIELD, collection_name
from opskit.database import open_database
from opskit.lexical import lexical_text
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

pytestmark = pytest.mark.contract
NAME = DocumentName("acme", "default", "big.md")


@dataclass
class Worker:
    """The worker's process, and what a test needs to see from outside."""

    environment: dict[str, str]
    log: Path
    documents: Documents
    claims: Claims
    queue: CeleryQueue
    index: MilvusIndex
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "celery", "-A", "ingest.worker:app", "worker", "-B"]
            self.process = subprocess.Popen(
                command, env=os.environ | self.environment, stdout=out, stderr=out, start_new_session=True
            )

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def until(self, condition: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Wait, and meanwhile do what the API does beside its requests."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            dispatch(self.claims, self.queue)
            time.sleep(0.1)

    def status(self, name: DocumentName = NAME) -> str:
        return self.documents.get(name).status


@pytest.fixture
def worker(tmp_path: Path, milvus_url: str, redis_url: str, triton, metrics_port: int) -> Iterator[Worker]:
    database = f"sqlite:///{tmp_path}/ingest.db"
    engine = open_database(database, migrations="ingest.migrations")
    claims, queue = Claims(engine), CeleryQueue(create_task_app(redis_url))
    triton.fingerprint = os.urandom(32).hex()  # a collection of our own
    started = Worker(
        environment={
            "NEXUS_INTERNAL_TOKEN": "an-internal-token-of-length",
            "NEXUS_INGEST_DATABASE_URL": database,
            "NEXUS_STORE_FOLDER": str(tmp_path / "documents"),
            "NEXUS_BROKER_URL": redis_url,
            "NEXUS_MILVUS_URL": milvus_url,
            "NEXUS_MILVUS_FLUSH": "true",
            "NEXUS_TRITON_GRPC": triton.address,
            "NEXUS_WORKER_METRICS_PORT": str(metrics_port),
            "NEXUS_RECONCILE_SECONDS": "5",
        },
        log=tmp_path / "worker.log",
        documents=Documents(
            FolderStore(tmp_path / "documents", max_bytes=10_000_000), Catalogue(engine), claims, queue
        ),
        claims=claims,
        queue=queue,
        index=MilvusIndex(milvus_url),
    )
    started.start()
    yield started
    started.kill()
    engine.dispose()


def handbook(paragraphs: int) -> bytes:
    return "\n\n".join(f"## Part {n}\n\n" + f"Sentence {n} of the handbook. " * 30 for n in range(paragraphs)).encode()


def test_documents_are_indexed_counted_and_removed_and_drops_are_reconciled(worker, triton, metrics_port, tmp_path):
    worker.documents.put(NAME, handbook(5))
    worker.until(lambda: worker.status() == "indexed")
    assert worker.index.contents(triton.fingerprint)[NAME.id].generations == {1: 5}
    assert len(triton.texts) == 5
    shown = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics").text
    assert "nexus_embeddings_total 5.0" in shown
    assert "nexus_chunks_written_total 5.0" in shown

    dropped = DocumentName("acme", "default", "dropped.txt")
    (tmp_path / "documents" / "acme" / "default" / "dropped.txt").write_text("Nobody said that this file is here.")
    worker.until(lambda: dropped.id in worker.index.contents(triton.fingerprint))  # nobody told; reconcile looked

    worker.documents.delete(NAME)
    worker.until(lambda: NAME.id not in worker.index.contents(triton.fingerprint))


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(worker, triton):
    triton.seconds = 0.3
    worker.documents.put(NAME, handbook(160))
    worker.until(lambda: worker.status() == "indexing" and len(triton.texts) >= 48)
    worker.kill()
    triton.seconds = 0.0
    worker.start()
    worker.until(lambda: worker.status() == "indexed")
    (generation,) = worker.index.contents(triton.fingerprint)[NAME.id].generations.items()
    assert generation[1] == worker.documents.get(NAME).chunks == 160
    # What was embedded before the kill was kept: at most the batch in flight was done again.
    assert sum(count - 1 for count in Counter(triton.texts).values()) <= 16


def test_a_queue_that_forgets_everything_loses_no_document(worker, triton, redis_server):
    triton.seconds = 0.3
    first, second, third = (DocumentName("acme", "default", f"{number}.md") for number in range(3))
    worker.documents.put(first, handbook(60))
    worker.until(lambda: worker.status(first) == "indexing")
    redis_server.stop()
    worker.documents.put(second, handbook(2))  # it is accepted, and waits
    triton.seconds = 0.0
    redis_server.start()
    worker.documents.put(third, handbook(1))
    worker.until(lambda: {worker.status(name) for name in (first, second, third)} == {"indexed"}, seconds=60)
    held = worker.index.contents(triton.fingerprint)
    assert {name.id: sum(held[name.id].generations.values()) for name in (first, second, third)} == {
        first.id: 60,
        second.id: 2,
        third.id: 1,
    }


def test_an_index_that_vanished_is_built_again_by_itself_and_nothing_is_embedded_again(worker, triton, milvus_url):
    worker.documents.put(NAME, handbook(5))
    worker.until(lambda: worker.status() == "indexed")
    embedded = len(triton.texts)
    client = MilvusClient(milvus_url, grpc_options=QUIET)
    client.drop_collection(collection_name(triton.fingerprint))
    worker.until(lambda: bool(_found(client, triton.fingerprint)))
    worker.until(lambda: worker.status() == "indexed")
    assert sum(worker.index.contents(triton.fingerprint)[NAME.id].generations.values()) == 5
    assert _found(client, triton.fingerprint)

    worker.kill()
    client.drop_collection(collection_name(triton.fingerprint))
    assert not _found(client, triton.fingerprint)
    worker.start()
    worker.until(lambda: bool(_found(client, triton.fingerprint)))
    worker.until(lambda: worker.status() == "indexed")
    assert len(triton.texts) == embedded
    client.close()


def _found(client: MilvusClient, fingerprint: str) -> list[dict]:
    try:
        (hits,) = client.search(
            collection_name(fingerprint), [lexical_text("handbook")], anns_field=FIELD.SPARSE, limit=5, filter=""
        )
    except MilvusException:  # there is no collection, or none that is loaded
        return []
    return list(hits)
