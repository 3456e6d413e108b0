"""A bucket as a tar stream, there and back. No file is made on the way, so a pipe will do:

    bucket.tar = objects/<key>, each with its content type, metadata and etag; last complete.json

The last member is what tells a whole archive from one whose writing was cut short.
"""

import hashlib
import io
import json
import re
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Final

from minio import Minio
from minio.datatypes import Object
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from opskit.errors import NexusError

from ingest.adapters.s3_client import ensure_bucket, translated

Say = Callable[[str], None]

_OBJECTS: Final = "objects/"
_END: Final = "complete.json"
_HEADER: Final = "NEXUS."  # of the extended headers: tar programs pass by what they do not know
_KEPT: Final = ("content-type", "content-encoding", "content-disposition", "content-language", "cache-control")
_USERS: Final = "x-amz-meta-"
_MD5: Final = re.compile(r"[0-9a-f]{32}")
"""What the etag of an object is that was put in one piece and is not encrypted by the server."""
_TELL_SECONDS: Final = 3.0


class BrokenArchive(NexusError):
    """The archive is not whole, or not what was put into it."""

    code = "broken_archive"


@dataclass
class Tally:
    """How much was done."""

    objects: int = 0
    bytes: int = 0
    unchanged: int = 0
    deleted: int = 0


class _Progress:
    """Tells how far it is, every few seconds."""

    def __init__(self, what: str, tally: Tally, say: Say) -> None:
        self._what, self._tally, self._say = what, tally, say
        self._told = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self._told = time.monotonic()
            self._say(f"{self._what}: {self._tally.objects:,} objects, {self._tally.bytes / 1e6:,.1f} MB so far")


class _Checked:
    """Reads a stream, and knows in the end how much that was and its MD5."""

    def __init__(self, read: Callable[[int], bytes], progress: Callable[[], None]) -> None:
        self._read, self._progress = read, progress
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._read(size)
        self._md5.update(data)
        self.size += len(data)
        self._progress()
        return data

    def verify(self, key: str, *, size: int, etag: str) -> None:
        """Raises BrokenArchive when what was read is not what it should have been."""
        if self.size != size or (_MD5.fullmatch(etag) and self._md5.hexdigest() != etag):
            raise BrokenArchive(f"{key}: {self.size:,} of {size:,} bytes were read, or not the right ones.")


class _Sink:
    """Where the archive goes. Its failures are not the object store's."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        try:
            return self._out.write(data)
        except OSError as exc:
            raise BrokenArchive(f"The archive cannot be written: {exc.strerror or type(exc).__name__}.") from exc


def save(client: Minio, bucket: str, out: IO[bytes], say: Say) -> Tally:
    """Write every object of the bucket. What is deleted meanwhile is left out; what is overwritten is in it whole, in
    its old or its new version."""
    tally = Tally()
    progress = _Progress(f"saving {bucket}", tally, say)
    with translated(), _writing(out) as archive:
        for found in client.list_objects(bucket, recursive=True):
            if not found.is_dir and _save_one(client, bucket, str(found.object_name), archive, progress, tally):
                tally.objects += 1
        end = json.dumps({"bucket": bucket, "objects": tally.objects, "bytes": tally.bytes}).encode()
        archive.addfile(_member(_END, len(end)), io.BytesIO(end))
    return tally


def restore(client: Minio, bucket: str, source: IO[bytes], say: Say, *, delete_others: bool = False) -> Tally:
    """Put back every object that is not there as it was. `delete_others`: and remove the rest, once all of the archive
    was read."""
    tally = Tally()
    progress = _Progress(f"restoring {bucket}", tally, say)
    seen: set[str] = set()
    end: Mapping[str, Any] | None = None
    with translated(), _reading(source) as archive:
        ensure_bucket(client, bucket)
        for member in archive:
            content = archive.extractfile(member)
            if content is None:
                raise BrokenArchive(f"{member.name} is not a file.")
            if member.name == _END:
                end = json.loads(content.read())
                continue
            seen.add(_restore_one(client, bucket, member, content, progress, tally))
        if end is None or (end["objects"], end["bytes"]) != (tally.objects, tally.bytes):
            raise BrokenArchive("The archive is not whole: its end is missing. What was read of it is restored.")
        if delete_others:
            tally.deleted = _delete_others(client, bucket, seen)
    return tally


def _save_one(
    client: Minio, bucket: str, key: str, archive: tarfile.TarFile, progress: Callable[[], None], tally: Tally
) -> bool:
    try:
        response = client.get_object(bucket, key)
    except S3Error as exc:
        if exc.code == "NoSuchKey":
            return False  # deleted since it was listed
        raise
    try:
        headers = {name.lower(): value for name, value in response.headers.items()}
        size, etag = int(headers["content-length"]), _etag_of(headers)
        kept = {name: value for name, value in headers.items() if name in _KEPT or name.startswith(_USERS)}
        content = _Checked(partial(response.read, decode_content=False), progress)
        archive.addfile(_member(_OBJECTS + key, size, {**kept, "etag": etag}), content)
        content.verify(key, size=size, etag=etag)
        tally.bytes += size
    finally:
        response.close()
        response.release_conn()
    return True


def _etag_of(headers: Mapping[str, str]) -> str:
    """None of an object that the server encrypts: it says nothing about the bytes."""
    if any(name.startswith("x-amz-server-side-encryption") for name in headers):
        return ""
    return headers.get("etag", "").strip('"')


def _restore_one(
    client: Minio,
    bucket: str,
    member: tarfile.TarInfo,
    stream: IO[bytes],
    progress: Callable[[], None],
    tally: Tally,
) -> str:
    key = member.name.removeprefix(_OBJECTS)
    if not member.name.startswith(_OBJECTS) or not key:
        raise BrokenArchive(f"{member.name} is no object: this is not an archive of a bucket.")
    headers = {k.removeprefix(_HEADER): v for k, v in member.pax_headers.items() if k.startswith(_HEADER)}
    etag = headers.pop("etag", "")
    if _is_there(client, bucket, key, member.size, etag, headers):
        tally.unchanged += 1
        progress()
    else:
        content = _Checked(stream.read, progress)
        kind = headers.pop("content-type", "application/octet-stream")
        client.put_object(bucket, key, content, member.size, content_type=kind, metadata=dict(headers))  # type: ignore[arg-type]
        content.verify(key, size=member.size, etag=etag)
    tally.objects += 1
    tally.bytes += member.size
    return key


def _is_there(client: Minio, bucket: str, key: str, size: int, etag: str, headers: Mapping[str, str]) -> bool:
    try:
        present = client.stat_object(bucket, key)
    except S3Error as exc:
        if exc.code in {"NoSuchKey", "NoSuchObject", "ResourceNotFound"}:
            return False
        raise
    return (present.size, (present.etag or "").strip('"')) == (size, etag) and _kept_of(present) == headers


def _kept_of(present: Object) -> dict[str, str]:
    metadata = {name.lower(): str(value) for name, value in (present.metadata or {}).items()}
    return {name: value for name, value in metadata.items() if name in _KEPT or name.startswith(_USERS)}


def _delete_others(client: Minio, bucket: str, seen: set[str]) -> int:
    others = [
        str(found.object_name)
        for found in client.list_objects(bucket, recursive=True)
        if not found.is_dir and found.object_name not in seen
    ]
    for error in client.remove_objects(bucket, map(DeleteObject, others)):
        raise BrokenArchive(f"{error.name} could not be deleted: {error.code}.")
    return len(others)


def _writing(out: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=_Sink(out), mode="w|", format=tarfile.PAX_FORMAT)  # type: ignore[call-overload, no-any-return]


@contextmanager
def _reading(source: IO[bytes]) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            yield archive
    except tarfile.TarError as exc:
        raise BrokenArchive(f"The archive is not whole, or none: {exc}. What was read of it is restored.") from exc


def _member(name: str, size: int, headers: Mapping[str, str] | None = None) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = size, int(time.time())
    member.pax_headers = {_HEADER + key: value for key, value in (headers or {}).items()}
    return member
