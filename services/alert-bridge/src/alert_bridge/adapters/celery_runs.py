"""Orders through Celery, to trainer's own worker."""

import asyncio

from kombu.exceptions import KombuError
from opskit.celery import create_celery
from opskit.contracts.runs import START_RUN_TASK, TRAINER_QUEUE, RunOrder
from opskit.errors import Unavailable
from redis.exceptions import RedisError

_AWAY = "The queue of runs cannot be reached."


class CeleryRuns:
    """Satisfies `RunStarter`. Close it when done."""

    def __init__(self, broker_url: str) -> None:
        self._app = create_celery("alert-bridge", broker_url, queue=TRAINER_QUEUE)

    async def start(self, order: RunOrder) -> None:
        """Send the task. A broker that is away takes some seconds to be known as such, spent in a thread."""
        await asyncio.to_thread(self._send, order)

    async def check(self) -> None:
        """Ask the broker."""
        await asyncio.to_thread(self._connect)

    def close(self) -> None:
        """Let go of the connections."""
        self._app.close()

    def _send(self, order: RunOrder) -> None:
        try:
            self._app.send_task(START_RUN_TASK, kwargs=order.model_dump(mode="json"), queue=TRAINER_QUEUE)
        except (KombuError, RedisError, OSError) as exc:
            raise Unavailable(_AWAY) from exc

    def _connect(self) -> None:
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=0, timeout=1)
        except (KombuError, RedisError, OSError) as exc:
            raise Unavailable(_AWAY) from exc
