"""Celery as a messenger: a task carries an id, and what is to be done stands in the service's own SQL, which loses
nothing and from which the task is sent again."""

from datetime import timedelta

from celery import Celery

VISIBILITY_TIMEOUT = timedelta(hours=12)
"""Redis hands an unacknowledged task out again after this long: one that a worker fetched and has not begun. The
shortest value of all apps on the broker wins, so every app uses this one; it must exceed what such a task may have to
wait for (a fine-tuning run)."""


def create_celery(name: str, broker_url: str, *, queue: str) -> Celery:
    """A Celery app whose tasks go to `queue`. Results are not kept: state of work lives in the service's own SQL."""
    app = Celery(name, broker=broker_url)
    app.conf.update(
        task_default_queue=queue,
        task_ignore_result=True,
        # Taken means taken. With kombu's Redis transport, a broker that is lost while a worker holds an unacknowledged
        # task takes the whole worker with it, and all that it is doing. Late only where SQL knows nothing yet.
        task_acks_late=False,
        task_track_started=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_TIMEOUT.total_seconds(),
            "socket_keepalive": True,
            "socket_connect_timeout": 2,
            # A broker that hangs is away too. Longer than the second for which a worker listens at a time.
            "socket_timeout": 3,
        },
        # A broker that is away must not hold a web request: publishing gives up after a second or a few.
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 0.5},
        enable_utc=True,
    )
    return app
