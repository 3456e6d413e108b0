"""The Celery worker: unwraps tasks and calls what does the work. Run with `celery -A trainer.worker:app worker`."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import structlog
from celery import Celery, Task, bootsteps, signals
from celery.worker.consumer import Consumer
from opskit.celery import create_celery
from opskit.database import open_database
from opskit.logging import configure_logging
from prometheus_client import start_http_server

from trainer import metrics
from trainer.adapters.sql import SqlFeedback
from trainer.settings import Settings

log = structlog.get_logger(__name__)

QUEUE: Final = "trainer"
EXPIRE_TASK: Final = "trainer.expire_feedback"


class Worker:
    """Everything a worker process holds, made when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def expire_feedback(self) -> int:
        """Forget votes that are older than they may be."""
        gone = self._feedback.expire(before=datetime.now(UTC) - self._settings.keep_feedback)
        metrics.EXPIRED.inc(gone)
        if gone:
            log.info("feedback_expired", votes=gone)
        return gone

    def start(self) -> None:
        """Show metrics."""
        settings = self._settings
        start_http_server(settings.worker_metrics_port, addr=settings.worker_metrics_host, registry=metrics.WORKER)

    @cached_property
    def _feedback(self) -> SqlFeedback:
        return SqlFeedback(open_database(self._settings.trainer_database_url, migrations="trainer.migrations"))


def create_worker(settings: Settings | None = None) -> Celery:
    """The Celery app with its tasks. Nothing is connected to before the worker starts."""
    settings = settings or Settings()
    app = create_celery("trainer", str(settings.broker_url), queue=QUEUE)
    app.conf.update(worker_pool="threads", worker_concurrency=1)
    worker = Worker(settings)

    @app.task(name=EXPIRE_TASK)
    def expire_feedback() -> None:
        worker.expire_feedback()

    _repeat(app, expire_feedback, every=settings.expire_feedback_every.total_seconds())
    _connect_signals(worker, settings)
    return app


def _repeat(app: Celery, task: Task[..., None], *, every: float) -> None:
    """Send the task whenever the worker has connected to the broker, and then every so many seconds. The worker's own
    timer does it: one idempotent task is not worth beat, which is one more process to keep alive."""

    class Repeating(bootsteps.StartStopStep):
        # A step of the consumer: these are stopped when the broker is lost, and started when it is back.
        requires = ("celery.worker.consumer:Tasks",)
        entry: Any = None

        def start(self, parent: Consumer) -> None:
            task.apply_async(expires=every)
            self.entry = parent.timer.call_repeatedly(every, task.apply_async, kwargs={"expires": every})

        def stop(self, parent: Consumer) -> None:
            if self.entry is not None:
                parent.timer.cancel(self.entry)

    app.steps["consumer"].add(Repeating)


def _connect_signals(worker: Worker, settings: Settings) -> None:
    def on_logging(**_: Any) -> None:
        configure_logging("trainer-worker", level=settings.log_level, json=settings.log_json)

    def on_ready(**_: Any) -> None:
        worker.start()

    def on_task(task: Task[..., Any], state: str, **_: Any) -> None:
        metrics.TASKS.labels(task.name, state.lower()).inc()

    signals.setup_logging.connect(on_logging, weak=False)
    signals.worker_ready.connect(on_ready, weak=False)
    signals.task_postrun.connect(on_task, weak=False)


app = create_worker()
