"""S3 event notifications (AWS, MinIO, RustFS) as hints which documents to look at. Pure.

An event may be old, repeated or out of order, so nothing is taken from it but the object's name: what is in the store
now decides. What is well formed and says nothing to us is taken all the same: MinIO sends a refused event again and
again, and those behind it wait.
"""

from urllib.parse import unquote_plus

from opskit.errors import InvalidRequest
from pydantic import BaseModel, Field, ValidationError

from ingest.keys import DocumentName, name_of

MAX_RECORDS = 10_000


class _Object(BaseModel):
    key: str = Field(max_length=8192)  # empty in events of a bucket itself


class _Bucket(BaseModel):
    name: str = ""


class _Entity(BaseModel):
    object: _Object
    bucket: _Bucket = _Bucket()


class _Record(BaseModel):
    event_name: str = Field("", alias="eventName")
    s3: _Entity


class _Notification(BaseModel):
    records: list[_Record] | None = Field(None, alias="Records", max_length=MAX_RECORDS)
    event: str = Field("", alias="Event")
    event_name: str = Field("", alias="EventName")


def hinted_documents(body: bytes, *, bucket: str | None) -> list[DocumentName]:
    """The documents a notification speaks of, each once. Objects that are no documents, and other buckets' (when
    `bucket` is given), are left out. InvalidRequest when it is no notification."""
    try:
        notification = _Notification.model_validate_json(body)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise InvalidRequest(f"This is not an S3 event notification: {where}: {first['msg']}.") from exc
    if notification.records is None:
        if notification.event == "s3:TestEvent":
            return []
        raise InvalidRequest("This is not an S3 event notification: it has no Records.", param="Records")
    found: dict[DocumentName, None] = {}
    for record in notification.records:
        if bucket is not None and record.s3.bucket.name not in ("", bucket):
            continue
        if name := name_of(unquote_plus(record.s3.object.key)):
            found[name] = None
    return list(found)
