"""Key segments as file names. A file name may have 255 bytes, a segment of a key 1,024.

A long segment becomes `<its beginning>~<32 hex digits of its digest><its extension>`; the whole segment is kept in a
hidden file beside it (the sidecar), so that a listing finds the key again. Pure.
"""

import hashlib
import re

MAX_NAME_BYTES = 255
_KEPT_BYTES = 160
_SHORTENED = re.compile(r"~(?P<digest>[0-9a-f]{32})(?:\.[A-Za-z0-9]{1,12})?\Z")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,12}\Z")


def file_name(segment: str) -> str:
    """The file name of a key's segment. Two segments never share one: a segment that only looks shortened is
    shortened, too."""
    if len(segment.encode()) <= MAX_NAME_BYTES and not _SHORTENED.search(segment):
        return segment
    extension = _EXTENSION.search(segment)
    beginning = segment.encode()[:_KEPT_BYTES].decode(errors="ignore")
    return f"{beginning}~{_digest(segment)}{extension.group() if extension else ''}"


def sidecar_name(name: str) -> str | None:
    """The hidden file that holds the segment of a shortened file name; None when `name` is not shortened."""
    found = _SHORTENED.search(name)
    return f".{found['digest']}.name" if found else None


def segment_of(name: str, sidecar: str | None) -> str | None:
    """The segment a file name stands for, given what its sidecar says. None when the two do not fit together."""
    if not _SHORTENED.search(name):
        return name
    return sidecar if sidecar is not None and file_name(sidecar) == name else None


def _digest(segment: str) -> str:
    return hashlib.sha256(segment.encode()).hexdigest()[:32]
