"""Tasks through Celery. A task carries a document's id and nothing else: what is to be done stands in the catalogue."""

import threading
import time
from typing import Any, Final

from celery import Celery
from kombu import Queue
from kombu.exceptions import ChannelError, KombuError
from opskit.celery import create_celery
from opskit.errors import Unavailable
from redis.exceptions import RedisError

INDEX_TASK: Final = "ingest.index_document"
RECONCILE_TASK: Final = "ingest.reconcile"
QUEUE: Final = "ingest"
URGENT_QUEUE: Final = "ingest-urgent"
_PAUSE_SECONDS: Final = 2.0


def create_task_app(broker_url: str) -> Celery:
    """The Celery app of API and worker. Removals and reconcile have a queue of their own, so that they do not wait
    behind a bulk upload: the worker takes from both in turns."""
    app = create_celery("ingest", broker_url, queue=QUEUE)
    app.conf.task_queues = [Queue(QUEUE), Queue(URGENT_QUEUE)]
    return app


class CeleryQueue:
    """The sending side."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._away_until = 0.0

    def submit(self, document_id: str, *, urgent: bool = False) -> None:
        """Send the task. After a failure the broker gets a pause, so that not every upload waits for a dead one."""
        with self._lock:
            if time.monotonic() < self._away_until:
                raise Unavailable("The task queue was away a moment ago.")
        try:
            self._app.send_task(INDEX_TASK, args=[document_id], queue=URGENT_QUEUE if urgent else QUEUE)
        except (KombuError, RedisError, OSError) as exc:
            with self._lock:
                self._away_until = time.monotonic() + _PAUSE_SECONDS
            raise Unavailable("The task queue cannot be reached.") from exc

    def depth(self) -> int:
        """Ask the broker for the length of both queues."""
        try:
            with self._app.connection_for_write() as connection:
                channel: Any = connection.default_channel
                return sum(channel.queue_declare(name, passive=True).message_count for name in (QUEUE, URGENT_QUEUE))
        except ChannelError:
            return 0  # an empty Redis list is no list
        except (KombuError, RedisError, OSError) as exc:
            raise Unavailable("The task queue cannot be reached.") from exc

    def check(self) -> None:
        """Ask the broker."""
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=0, timeout=1)
        except (KombuError, RedisError, OSError) as exc:
            raise Unavailable("The task queue cannot be reached.") from exc
