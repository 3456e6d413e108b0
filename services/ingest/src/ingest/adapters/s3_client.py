"""A client of an S3 server, and what goes wrong there in our words. Plain S3 calls, so any server will do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from opskit.errors import Conflict, InvalidRequest, Unavailable

from ingest.errors import StoreRefused
from ingest.settings import Settings

_TOO_LONG: Final = frozenset({"KeyTooLongError", "XMinioInvalidObjectName"})
_TAKEN: Final = frozenset({"XMinioParentIsObject", "XMinioObjectExistsAsDirectory"})
_OURS_ALREADY: Final = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
_NOT_YET: Final = frozenset({"XMinioServerNotInitialized", "ServiceUnavailable", "SlowDown", "InternalError"})
"""The server is there and cannot do it now; MinIO says the first while it starts."""


def open_client(settings: Settings) -> Minio:
    """A client with bounded patience. It connects when it is used."""
    return Minio(
        settings.s3_endpoint,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key.get_secret_value(),
        secure=settings.s3_secure,
        http_client=urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=2.0, read=20.0),
            retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)),
            maxsize=16,
        ),
    )


def ensure_bucket(client: Minio, bucket: str) -> bool:
    """Make the bucket when it is missing; whether it was."""
    if client.bucket_exists(bucket):
        return False
    try:
        client.make_bucket(bucket)
    except S3Error as exc:
        if exc.code not in _OURS_ALREADY:
            raise
        return False  # somebody made it this moment
    return True


@contextmanager
def translated() -> Iterator[None]:
    """Raises Unavailable when trying later is right, StoreRefused (one of its kind) when somebody has to act."""
    try:
        yield
    except S3Error as exc:
        if exc.code in _TOO_LONG:
            raise InvalidRequest("The key is too long for the object store.", param="key") from exc
        if exc.code in _TAKEN:
            raise Conflict("A part of this key is already a document, or it is a folder of others.") from exc
        if exc.code in _NOT_YET:
            raise Unavailable(f"The object store is not ready: {exc.code}.") from exc
        raise StoreRefused(f"The object store refused: {exc.code}.") from exc
    except (urllib3.exceptions.HTTPError, ServerError, InvalidResponseError, OSError) as exc:
        raise Unavailable(f"The object store cannot be reached: {type(exc).__name__}.") from exc
    except (MinioException, ValueError) as exc:  # the SDK's own checks: a bucket's name, an endpoint
        raise InvalidRequest(f"The object store cannot be used so: {exc}") from exc
