"""What a new S3 server needs before anybody works with it. Safe to run again and again."""

import time
from collections.abc import Callable
from typing import Final

from minio import Minio
from opskit.errors import Unavailable

from ingest.adapters.s3_client import ensure_bucket, translated
from ingest.adapters.s3_notifications import ensure_notifies
from ingest.errors import StoreRefused

Say = Callable[[str], None]

_PAUSE_SECONDS: Final = 1.0


def wait_until_it_answers(client: Minio, *, bucket: str, seconds: float, say: Say) -> None:
    """Return when the server answers; tell why not, once a reason. A refusal will not pass by itself, and is raised at
    once."""
    deadline = time.monotonic() + seconds
    told = ""
    while True:
        try:
            with translated():
                client.bucket_exists(bucket)
            return
        except StoreRefused:
            raise
        except Unavailable as exc:
            if time.monotonic() >= deadline:
                raise Unavailable(f"{exc.message} It was waited for {seconds:g} seconds.") from exc
            if exc.message != told:
                told = exc.message
                say(f"waiting, at most {seconds:g} seconds: {told}")
            time.sleep(_PAUSE_SECONDS)


def make_bucket(client: Minio, bucket: str, say: Say) -> None:
    """Make it, unless it is there."""
    with translated():
        made = ensure_bucket(client, bucket)
    say(f"bucket {bucket}: {'made' if made else 'is there'}")


def subscribe(client: Minio, bucket: str, target: str, say: Say) -> None:
    """Have the bucket tell the target of its changes. Raises StoreRefused, for one when the server does not know the
    target."""
    with translated():
        added = ensure_notifies(client, bucket, target)
    say(f"bucket {bucket}: {'sends' if added else 'already sends'} its events to {target}")
