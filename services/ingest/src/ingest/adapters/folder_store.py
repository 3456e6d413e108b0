"""Documents as files: `<root>/<tenant>/<knowledge base>/<key>`. People may drop files in, too.

Every path is walked from the root by directory handles that refuse symbolic links, so nothing outside the root is
ever read or written, whatever is placed inside it.
"""

import contextlib
import errno
import hashlib
import os
import stat
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from opskit.errors import Conflict, TooLarge, Unavailable

from ingest.file_names import file_name, segment_of, sidecar_name
from ingest.keys import DocumentName, name_of
from ingest.ports import Content, StoredDocument

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_JUST_NOW_NS = 2_000_000_000
_NOT_A_PLACE = (errno.ENOTDIR, errno.ELOOP, errno.ENOENT)

Signature = tuple[int, int, int, int]


class FolderStore:
    """The store of the embedded profile."""

    def __init__(self, root: Path, *, max_bytes: int) -> None:
        self.root = root.resolve()
        self._max_bytes = max_bytes
        self.root.mkdir(parents=True, exist_ok=True)
        self._etags: dict[str, tuple[Signature, str]] = {}

    def put(self, name: DocumentName, data: bytes) -> str:
        """Write to a temporary file, then rename it: a reader sees the old bytes or the new ones."""
        for attempt in (1, 2):
            try:
                self._put(name, data)
                break
            except OSError as exc:
                # A folder that was just found may be pruned by the deletion of its last document.
                if exc.errno != errno.ENOENT or attempt == 2:
                    raise self._explained(exc, name) from exc
        return hashlib.sha256(data).hexdigest()

    def _put(self, name: DocumentName, data: bytes) -> None:
        with self._folder(name, create=True) as (folder, file):
            if sidecar := sidecar_name(file):
                self._write(folder, sidecar, name.key.rpartition("/")[2].encode())
            self._write(folder, file, data)

    def get(self, name: DocumentName) -> Content | None:
        """The bytes of a regular file; anything else is not a document."""
        with self._opened(name) as handle:
            if handle is None:
                return None
            if (size := os.fstat(handle).st_size) > self._max_bytes:
                raise TooLarge(f"The file has {size:,} bytes; at most {self._max_bytes:,} are read.")
            with os.fdopen(os.dup(handle), "rb") as stream:
                data = stream.read(self._max_bytes)
            return Content(data, hashlib.sha256(data).hexdigest())

    def etag(self, name: DocumentName) -> str | None:
        """The digest of the content, read again only when the file looks changed."""
        with self._opened(name) as handle:
            return None if handle is None else self._etag(name.path, handle)

    def delete(self, name: DocumentName) -> None:
        """Remove the file and the folders that are empty without it."""
        try:
            with self._folder(name) as (folder, file):
                os.unlink(file, dir_fd=folder)
                if sidecar := sidecar_name(file):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(sidecar, dir_fd=folder)
                os.fsync(folder)
        except OSError as exc:
            if exc.errno not in (*_NOT_A_PLACE, errno.EISDIR):
                raise self._explained(exc, name) from exc
        self._etags.pop(name.path, None)
        self._prune(name)

    def documents(self) -> Iterator[StoredDocument]:
        """Walk the tree; hidden files, links and what is no document are passed by."""
        seen: set[str] = set()
        for name in self.names():
            etag = self.etag(name)
            if etag is not None:
                seen.add(name.path)
                yield StoredDocument(name, etag)
        for gone in self._etags.keys() - seen:
            self._etags.pop(gone, None)

    def names(self, below: str = "") -> Iterator[DocumentName]:
        """The documents of the tree, or of the folder `below` (a path of key segments)."""
        for path in self._walk(self.root.joinpath(*map(file_name, filter(None, below.split("/")))), below):
            if name := name_of(path):
                yield name

    def name_at(self, path: Path) -> DocumentName | None:
        """The document that the file at `path` is or was; None when it is none."""
        with contextlib.suppress(ValueError):
            segments: list[str] = []
            folder = self.root
            for part in path.relative_to(self.root).parts:
                segment = self._segment(folder, part)
                if segment is None or part.startswith("."):
                    return None
                segments.append(segment)
                folder = folder / part
            return name_of("/".join(segments))
        return None

    def check(self) -> None:
        """The folder must be there and writable."""
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise Unavailable(f"The documents folder {self.root} cannot be written to.")

    def _segment(self, folder: Path, part: str) -> str | None:
        sidecar = sidecar_name(part)
        if sidecar is None:
            return part
        try:
            handle = os.open(folder / sidecar, _FILE)
            with os.fdopen(handle, "rb") as stream:
                return segment_of(part, stream.read(4096).decode())
        except (OSError, UnicodeDecodeError):
            return None

    def _walk(self, folder: Path, prefix: str) -> Iterator[str]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            if entry.name.startswith(".") or entry.is_symlink():
                continue
            segment = self._segment(folder, entry.name)
            if segment is None:
                continue
            path = f"{prefix}/{segment}" if prefix else segment
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(folder / entry.name, path)
            elif entry.is_file(follow_symlinks=False):
                yield path

    @contextlib.contextmanager
    def _folder(self, name: DocumentName, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """A handle of the folder the document is in, and its file name there."""
        *folders, file = [file_name(segment) for segment in name.path.split("/")]
        originals = name.path.split("/")
        handle = os.open(self.root, _DIRECTORY)
        try:
            for part, original in zip(folders, originals, strict=False):
                if create:
                    self._make_folder(handle, part, original)
                inner = os.open(part, _DIRECTORY, dir_fd=handle)
                os.close(handle)
                handle = inner
            yield handle, file
        finally:
            os.close(handle)

    def _make_folder(self, parent: int, part: str, original: str) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, dir_fd=parent)
            os.fsync(parent)
            if sidecar := sidecar_name(part):
                self._write(parent, sidecar, original.encode())

    @contextlib.contextmanager
    def _opened(self, name: DocumentName) -> Iterator[int | None]:
        """A handle of the document's file, or None when there is none."""
        handle = None
        try:
            with self._folder(name) as (folder, file):
                handle = os.open(file, _FILE, dir_fd=folder)
        except OSError as exc:
            if exc.errno not in (*_NOT_A_PLACE, errno.ENXIO, errno.ENAMETOOLONG, errno.EACCES):
                raise self._explained(exc, name) from exc
        try:
            yield handle if handle is not None and stat.S_ISREG(os.fstat(handle).st_mode) else None
        finally:
            if handle is not None:
                os.close(handle)

    def _write(self, folder: int, file: str, data: bytes) -> None:
        temporary = f".{uuid.uuid4().hex}.tmp"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=folder)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(temporary, file, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)

    def _etag(self, path: str, handle: int) -> str:
        found = os.fstat(handle)
        signature = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
        known = self._etags.get(path)
        if known and known[0] == signature:
            return known[1]
        with os.fdopen(os.dup(handle), "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        # A file changed this very moment may change again within one tick of the clock and look the same.
        if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > _JUST_NOW_NS:
            self._etags[path] = (signature, digest)
        return digest

    def _prune(self, name: DocumentName) -> None:
        """Remove the folders of the key that became empty, never the knowledge base's own."""
        while "/" in name.key:
            name = replace(name, key=name.key.rpartition("/")[0])
            try:
                with self._folder(name) as (parent, folder):
                    os.rmdir(folder, dir_fd=parent)
                    if sidecar := sidecar_name(folder):
                        os.unlink(sidecar, dir_fd=parent)
            except OSError:
                return  # not empty, or somebody else was faster

    def _explained(self, exc: OSError, name: DocumentName) -> Conflict | Unavailable:
        if exc.errno in (errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY):
            return Conflict(
                f"`{name.key}` cannot be stored: a part of it is a document already, or it is a folder of others.",
                param="key",
            )
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            return Unavailable("The disk of the document store is full.")
        return Unavailable(f"The document store cannot be used: {exc.strerror}.")
