"""The Celery worker: unwraps tasks and calls the same functions as everybody else. Run with
`celery -A ingest.worker:app worker -B`; threads, because each task waits for Triton or the parser most of its time."""

import ctypes
import os
import signal
import socket
import threading
import uuid
from functools import cached_property
from typing import Any, Final

import structlog
from celery import Celery, signals
from opskit.database import open_database
from opskit.errors import Unavailable
from opskit.logging import configure_logging
from opskit.settings import read_settings
from opskit.starting import stops_when_unable
from prometheus_client import start_http_server

from ingest import metrics
from ingest.adapters.celery_queue import INDEX_TASK, RECONCILE_TASK, URGENT_QUEUE, CeleryQueue, create_task_app
from ingest.adapters.document_store import open_store
from ingest.adapters.milvus_index import MilvusIndex
from ingest.adapters.parser_process import ParserProcess
from ingest.adapters.triton_embedder import TritonEmbedder
from ingest.catalogue import Catalogue
from ingest.claims import Claims
from ingest.documents import Documents
from ingest.embedding_cache import EmbeddingCache
from ingest.heartbeat import Heartbeat
from ingest.pipeline import Pipeline
from ingest.reconcile import Reconciler, Report
from ingest.settings import Settings
from ingest.steps import NoQueue, Steps

log = structlog.get_logger(__name__)

THREADS: Final = 4
_PR_SET_PDEATHSIG: Final = 1


class Worker:
    """Everything a worker process holds, made when it is first needed."""

    def __init__(self, settings: Settings, tasks: Celery) -> None:
        self._settings = settings
        self._tasks = tasks
        self._reconciling = threading.Lock()
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"[:64]

    def open(self) -> None:
        """Make everything before the first task comes: two threads would make it twice."""
        _ = self.pipeline, self.reconciler, self.heartbeat

    def start(self) -> None:
        """Warm the parser, set right what went wrong while nobody was here, and show metrics."""
        self.heartbeat.start()
        self.extractor.start()
        threading.Thread(target=self.reconcile, kwargs={"thorough": True}, name="first-reconcile", daemon=True).start()
        start_http_server(
            self._settings.worker_metrics_port, addr=self._settings.worker_metrics_host, registry=metrics.WORKER
        )

    def stop(self) -> None:
        """Let go of everything."""
        self.heartbeat.stop()
        self.extractor.close()
        self.index.close()

    def close(self) -> None:
        """Let go of what was opened, where no worker was started."""
        for part in ("extractor", "index"):
            if part in self.__dict__:
                getattr(self, part).close()
        if "_engine" in self.__dict__:
            self._engine.dispose()

    def index_document(self, document_id: str) -> None:
        """Claim the document and bring it to its wished state; nothing happens when there is nothing to do."""
        claim = self.claims.claim(document_id, self.owner)
        if claim is not None:
            with self.heartbeat.working_on(document_id):
                self.pipeline.run(claim)

    def reconcile(self, *, thorough: bool = False) -> Report | None:
        """Compare and repair; None when it is being done already or the store is away."""
        if not self._reconciling.acquire(blocking=False):
            return None
        try:
            report = self.reconciler.run(thorough=thorough)
        except Unavailable as exc:
            log.warning("not_reconciled", reason=exc.message)
            return None
        finally:
            self._reconciling.release()
        for kind in ("noticed", "rebuilt", "orphans"):
            metrics.RECONCILED.labels(kind).inc(getattr(report, kind))
        return report

    @cached_property
    def claims(self) -> Claims:
        return Claims(self._engine)

    @cached_property
    def heartbeat(self) -> Heartbeat:
        return Heartbeat(self.claims, self.owner)

    @cached_property
    def extractor(self) -> ParserProcess:
        return ParserProcess(self._settings.tokenizer_file, max_chunks=self._settings.max_chunks)

    @cached_property
    def index(self) -> MilvusIndex:
        settings = self._settings
        token = settings.milvus_token.get_secret_value()
        return MilvusIndex(str(settings.milvus_url), token=token, flush=settings.milvus_flush)

    @cached_property
    def pipeline(self) -> Pipeline:
        return Pipeline(
            claims=self.claims,
            store=self._store,
            extractor=self.extractor,
            embedder=self._embedder,
            cache=EmbeddingCache(self._engine),
            index=self.index,
        )

    @cached_property
    def reconciler(self) -> Reconciler:
        catalogue, queue = Catalogue(self._engine), CeleryQueue(self._tasks)
        return Reconciler(
            store=self._store,
            catalogue=catalogue,
            claims=self.claims,
            documents=Documents(self._store, catalogue, self.claims, queue),
            queue=queue,
            index=self.index,
            embedder=self._embedder,
            keep_deleted=self._settings.keep_deleted,
        )

    @cached_property
    def steps(self) -> Steps:
        """The same work in parts, for a workflow."""
        documents = Documents(self._store, Catalogue(self._engine), self.claims, NoQueue())
        return Steps(documents, self.claims, self.pipeline)

    @cached_property
    def _engine(self) -> Any:
        return open_database(self._settings.ingest_database_url, migrations="ingest.migrations")

    @cached_property
    def _store(self) -> Any:
        return open_store(self._settings)

    @cached_property
    def _embedder(self) -> TritonEmbedder:
        return TritonEmbedder(self._settings.triton_grpc)


def open_worker(settings: Settings) -> Worker:
    """What a worker has, for a process that is none. Close it when done."""
    return Worker(settings, create_task_app(str(settings.broker_url)))


def create_worker(settings: Settings | None = None) -> Celery:
    """The Celery app with its tasks. Nothing is connected to before the worker starts."""
    settings = settings or read_settings(Settings)
    app = create_task_app(str(settings.broker_url))
    worker = Worker(settings, app)
    app.conf.update(
        worker_pool="threads",
        worker_concurrency=THREADS,
        beat_scheduler="celery.beat:Scheduler",  # in memory: an interval needs no file
        beat_schedule={
            "reconcile": {
                "task": RECONCILE_TASK,
                "schedule": settings.reconcile_seconds,
                "options": {"queue": URGENT_QUEUE, "expires": settings.reconcile_seconds},
            }
        },
    )
    app.task(name=INDEX_TASK)(worker.index_document)

    @app.task(name=RECONCILE_TASK)
    def reconcile() -> None:
        worker.reconcile()

    _connect_signals(worker, settings)
    return app


def _connect_signals(worker: Worker, settings: Settings) -> None:
    def on_logging(**_: Any) -> None:
        configure_logging("ingest-worker", level=settings.log_level, json=settings.log_json)

    def on_init(**_: Any) -> None:
        with stops_when_unable():
            worker.open()

    def on_ready(**_: Any) -> None:
        worker.start()

    def on_shutdown(**_: Any) -> None:
        worker.stop()

    def on_beat(**_: Any) -> None:
        # Beat is a child process; without this it would outlive a worker that was killed, and beat beside the next.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    signals.setup_logging.connect(on_logging, weak=False)
    signals.worker_init.connect(on_init, weak=False)
    signals.beat_embedded_init.connect(on_beat, weak=False)
    signals.worker_ready.connect(on_ready, weak=False)
    signals.worker_shutdown.connect(on_shutdown, weak=False)


app = create_worker()
