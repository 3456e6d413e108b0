"""The Celery worker: unwraps tasks and calls what does the work. Run with `celery -A trainer.worker:app worker`."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import structlog
from celery import Celery, Task, bootsteps, signals
from celery.worker.consumer import Consumer
from opskit.celery import create_celery
from opskit.contracts.runs import START_RUN_TASK, TRAINER_QUEUE, RunOrder
from opskit.errors import Unavailable
from opskit.logging import configure_logging
from opskit.settings import read_settings
from opskit.starting import stops_when_unable
from prometheus_client import start_http_server

from trainer import metrics
from trainer.adapters.celery_queue import ADVANCE_TASK, CeleryRuns
from trainer.pipeline import report_ended
from trainer.ports import RunQueue
from trainer.settings import Settings
from trainer.wiring import Wiring
from trainer.working import RunWorker

log = structlog.get_logger(__name__)

EXPIRE_TASK: Final = "trainer.expire_feedback"
LOOK_AFTER_TASK: Final = "trainer.look_after"
OBSERVE_TASK: Final = "trainer.observe"


class Worker:
    """Everything a worker process holds, made when it is first needed."""

    def __init__(self, settings: Settings, queue: RunQueue) -> None:
        self._settings, self._queue = settings, queue
        self._wiring = Wiring(settings)

    @cached_property
    def runs(self) -> RunWorker:
        """Takes runs forward."""
        settings = self._settings
        return RunWorker(
            self._wiring.runs,
            self._queue,
            settings.runs_folder,
            patience=settings.stage_patience,
            workflow_patience=settings.workflow_patience,
        )

    def expire_feedback(self) -> int:
        """Forget votes that are older than they may be, and what was observed of answers as old."""
        before = datetime.now(UTC) - self._settings.keep_feedback
        self._wiring.observer.forget(before=before)
        gone = self._wiring.feedback.expire(before=before)
        metrics.EXPIRED.inc(gone)
        if gone:
            log.info("feedback_expired", votes=gone)
        return gone

    def look_after(self) -> None:
        """Make everything follow what SQL says: one that is away now is told the next time."""
        wiring = self._wiring
        duties: dict[str, Callable[[], None]] = {
            "rag": lambda: wiring.releases.start_with(wiring.rag.start_release(), now=datetime.now(UTC)),
            "triton": wiring.deployer.reconcile,
            "alert-bridge": lambda: report_ended(wiring.runs, wiring.bridge),
            "runs": self.runs.take_up,
            "challengers": lambda: wiring.deployer.withdraw_abandoned(wiring.runs, now=datetime.now(UTC)),
            "mlflow": wiring.registrar.follow,
        }
        for name, duty in duties.items():
            try:
                duty()
            except (Unavailable, FileNotFoundError) as exc:
                metrics.DUTIES_LEFT.labels(name).inc()
                log.info("duty_left", duty=name, reason=str(exc)[:300])

    def observe(self) -> None:
        """Look at what was answered and voted since."""
        self._wiring.observer.tick()

    def open(self) -> None:
        """Open the database: before the first task comes, since nothing can be done without."""
        _ = self._wiring.engine

    def start(self) -> None:
        """Show metrics."""
        settings = self._settings
        start_http_server(settings.worker_metrics_port, addr=settings.worker_metrics_host, registry=metrics.WORKER)


def create_worker(settings: Settings | None = None) -> Celery:
    """The Celery app with its tasks. Nothing is connected to before the worker starts."""
    settings = settings or read_settings(Settings)
    app = create_celery("trainer", str(settings.broker_url), queue=TRAINER_QUEUE)
    # One thread does the stages of runs, which are processes of their own; one observes answers, and may have to wait
    # for MLflow; and one looks after everything else.
    app.conf.update(worker_pool="threads", worker_concurrency=3)
    worker = Worker(settings, CeleryRuns(app))

    @app.task(name=EXPIRE_TASK)
    def expire_feedback() -> None:
        worker.expire_feedback()

    # Acknowledged when SQL knows of the run: from then on `look_after` sees to it.
    @app.task(name=START_RUN_TASK, acks_late=True)
    def start_run(**order: Any) -> None:
        worker.runs.start(RunOrder.model_validate(order))

    @app.task(name=ADVANCE_TASK)
    def advance(run_id: str) -> None:
        worker.runs.advance(run_id)

    @app.task(name=LOOK_AFTER_TASK)
    def look_after() -> None:
        worker.look_after()

    @app.task(name=OBSERVE_TASK)
    def observe() -> None:
        worker.observe()

    _repeat(app, expire_feedback, every=settings.expire_feedback_every.total_seconds())
    _repeat(app, look_after, every=settings.reconcile_every.total_seconds())
    _repeat(app, observe, every=settings.observe_every.total_seconds())
    _connect_signals(worker, settings)
    return app


def _repeat(app: Celery, task: Task[..., None], *, every: float) -> None:
    """Send the task whenever the worker has connected to the broker, and then every so many seconds. The worker's own
    timer does it: one idempotent task is not worth beat, which is one more process to keep alive."""

    class Repeating(bootsteps.StartStopStep):
        # A step of the consumer: these are stopped when the broker is lost, and started when it is back.
        requires = ("celery.worker.consumer:Tasks",)
        name = f"repeat {task.name}"  # steps are told apart by their names
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

    def on_init(**_: Any) -> None:
        with stops_when_unable():
            worker.open()

    def on_ready(**_: Any) -> None:
        worker.start()

    def on_task(task: Task[..., Any], state: str, **_: Any) -> None:
        metrics.TASKS.labels(task.name, state.lower()).inc()

    signals.setup_logging.connect(on_logging, weak=False)
    signals.worker_init.connect(on_init, weak=False)
    signals.worker_ready.connect(on_ready, weak=False)
    signals.task_postrun.connect(on_task, weak=False)


app = create_worker()
