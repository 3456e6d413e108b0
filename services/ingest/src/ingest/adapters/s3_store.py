"""Documents as objects of an S3 bucket."""

import io
import mimetypes
from collections.abc import Iterator

from minio import Minio
from minio.error import S3Error
from opskit.errors import TooLarge, Unavailable

from ingest.adapters.s3_client import ensure_bucket, translated
from ingest.adapters.s3_notifications import notifies
from ingest.keys import DocumentName, name_of
from ingest.ports import Content, StoredDocument

_MISSING = frozenset({"NoSuchKey", "NoSuchObject", "ResourceNotFound"})


class S3Store:
    """The store of the Compose and Kubernetes profiles. Object names are `<tenant>/<knowledge base>/<key>`."""

    def __init__(self, client: Minio, bucket: str, *, max_bytes: int) -> None:
        self._client = client
        self._bucket = bucket
        self._max_bytes = max_bytes

    def put(self, name: DocumentName, data: bytes) -> str:
        """One PUT: S3 shows the whole object or the old one."""
        kind = mimetypes.guess_type(name.key)[0] or "application/octet-stream"
        with translated():
            ensure_bucket(self._client, self._bucket)
            written = self._client.put_object(
                self._bucket, name.path, io.BytesIO(data), length=len(data), content_type=kind
            )
        return _bare(written.etag)

    def get(self, name: DocumentName) -> Content | None:
        """The object's bytes with the etag of the same answer."""
        with translated():
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
        with translated():
            try:
                return _bare(self._client.stat_object(self._bucket, name.path).etag)
            except S3Error as exc:
                if exc.code in _MISSING or exc.code == "NoSuchBucket":
                    return None
                raise

    def delete(self, name: DocumentName) -> None:
        """Remove the object; S3 does not mind when it is gone."""
        with translated():
            self._client.remove_object(self._bucket, name.path)

    def documents(self) -> Iterator[StoredDocument]:
        """List the bucket; names that cannot be documents are passed by."""
        with translated():
            ensure_bucket(self._client, self._bucket)
            for found in self._client.list_objects(self._bucket, recursive=True):
                name = name_of(found.object_name or "")
                if name is not None and not found.is_dir:
                    yield StoredDocument(name, _bare(found.etag))

    def check(self) -> None:
        """The bucket must be there."""
        with translated():
            ensure_bucket(self._client, self._bucket)

    def check_notifies(self, target: str) -> None:
        """The bucket must send its events to the target."""
        with translated():
            if not notifies(self._client, self._bucket, target):
                raise Unavailable("The bucket sends no events here; changes are noticed by reconcile alone.")


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')
