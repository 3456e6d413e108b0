"""Documents as objects of an S3 bucket, by the MinIO SDK: plain S3 calls, so any server will do."""

import io
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, S3Error, ServerError
from opskit.errors import Conflict, InvalidRequest, TooLarge, Unavailable

from ingest.keys import DocumentName, name_of
from ingest.ports import Content, StoredDocument

_MISSING = frozenset({"NoSuchKey", "NoSuchObject", "ResourceNotFound"})
_TOO_LONG = frozenset({"KeyTooLongError", "XMinioInvalidObjectName"})
_TAKEN = frozenset({"XMinioParentIsObject", "XMinioObjectExistsAsDirectory"})


class S3Store:
    """The store of the Compose and Kubernetes profiles. Object names are `<tenant>/<knowledge base>/<key>`."""

    def __init__(
        self, endpoint: str, *, bucket: str, access_key: str, secret_key: str, secure: bool, max_bytes: int
    ) -> None:
        self._bucket = bucket
        self._max_bytes = max_bytes
        self._client = Minio(
            endpoint,
            access_key=access_key,
            secret_key=secret_key,
            secure=secure,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=2.0, read=20.0),
                retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)),
                maxsize=16,
            ),
        )

    def put(self, name: DocumentName, data: bytes) -> str:
        """One PUT: S3 shows the whole object or the old one."""
        kind = mimetypes.guess_type(name.key)[0] or "application/octet-stream"
        with _translated():
            self._ensure_bucket()
            written = self._client.put_object(
                self._bucket, name.path, io.BytesIO(data), length=len(data), content_type=kind
            )
        return _bare(written.etag)

    def get(self, name: DocumentName) -> Content | None:
        """The object's bytes with the etag of the same answer."""
        with _translated():
            try:
                response = self._client.get_object(self._bucket, name.path)
            except S3Error as exc:
                if exc.code in _MISSING or exc.code == "NoSuchBucket":
                    return None
                raise
            try:
                if (size := int(response.headers.get("content-length", 0))) > self._max_bytes:
                    raise TooLarge(f"The object has {size:,} bytes; at most {self._max_bytes:,} are read.")
                return Content(response.data, _bare(response.headers.get("etag")))
            finally:
                response.close()
                response.release_conn()

    def etag(self, name: DocumentName) -> str | None:
        """The object's etag."""
        with _translated():
            try:
                return _bare(self._client.stat_object(self._bucket, name.path).etag)
            except S3Error as exc:
                if exc.code in _MISSING or exc.code == "NoSuchBucket":
                    return None
                raise

    def delete(self, name: DocumentName) -> None:
        """Remove the object; S3 does not mind when it is gone."""
        with _translated():
            self._client.remove_object(self._bucket, name.path)

    def documents(self) -> Iterator[StoredDocument]:
        """List the bucket; names that cannot be documents are passed by."""
        with _translated():
            self._ensure_bucket()
            for found in self._client.list_objects(self._bucket, recursive=True):
                name = name_of(found.object_name or "")
                if name is not None and not found.is_dir:
                    yield StoredDocument(name, _bare(found.etag))

    def check(self) -> None:
        """The bucket must be there."""
        with _translated():
            self._ensure_bucket()

    def _ensure_bucket(self) -> None:
        if not self._client.bucket_exists(self._bucket):
            self._client.make_bucket(self._bucket)


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except S3Error as exc:
        if exc.code in _TOO_LONG:
            raise InvalidRequest("The key is too long for the object store.", param="key") from exc
        if exc.code in _TAKEN:
            raise Conflict("A part of this key is already a document, or it is a folder of others.") from exc
        raise Unavailable(f"The object store refused: {exc.code}.") from exc
    except (urllib3.exceptions.HTTPError, ServerError, InvalidResponseError, OSError) as exc:
        raise Unavailable(f"The object store cannot be reached: {type(exc).__name__}.") from exc
