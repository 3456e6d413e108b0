"""Where runs wait for the worker."""

from celery import Celery
from kombu.exceptions import OperationalError
from opskit.errors import Unavailable

ADVANCE_TASK = "trainer.advance"


class CeleryRuns:
    """Satisfies `RunQueue`."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def advance(self, run_id: str) -> None:
        """Somebody should do the next stage of a run."""
        try:
            self._app.send_task(ADVANCE_TASK, kwargs={"run_id": run_id})
        except (OperationalError, OSError) as exc:
            raise Unavailable("The queue of runs does not answer; try again in a moment.") from exc
