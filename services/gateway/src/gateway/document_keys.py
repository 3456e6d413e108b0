"""What may name a document. Pure; the raw path is judged, because a decoded one has already lost what was wrong."""

import re
from urllib.parse import quote, unquote_to_bytes

from opskit.errors import InvalidRequest

MAX_KEY_BYTES = 1024
DOCUMENTS_PATH = b"/v1/documents/"
CONTENT_SUFFIX = b"/content"
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def key_of(raw_path: bytes, *, suffix: bytes = b"") -> str:
    """The document key in the still percent-encoded path of a request, or InvalidRequest that says what is wrong."""
    encoded = raw_path.partition(b"?")[0].removeprefix(DOCUMENTS_PATH).removesuffix(suffix)
    return checked_key(decoded(encoded, param="key"))


def decoded(encoded: bytes, *, param: str) -> str:
    """Percent-decode, refusing what is not UTF-8 instead of replacing it."""
    if _BROKEN_ESCAPE.search(encoded):
        raise InvalidRequest(f"The {param} has a % that is not followed by two hexadecimal digits.", param=param)
    try:
        return unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError as exc:
        raise InvalidRequest(f"The {param} is not valid UTF-8.", param=param) from exc


def checked_key(key: str) -> str:
    """`key` as it is, when it may name a document."""
    if not key:
        raise _refused("is empty; name the document after /v1/documents/")
    if (size := len(key.encode())) > MAX_KEY_BYTES:
        raise _refused(f"has {size} bytes; at most {MAX_KEY_BYTES} are allowed")
    if _CONTROL.search(key):
        raise _refused("has a NUL or another control character")
    parts = key.split("/")
    if "" in parts:
        raise _refused("starts or ends with a slash, or has two in a row")
    if "." in parts or ".." in parts:
        raise _refused("has `.` or `..` as a part of its path")
    return key


def encoded_key(key: str) -> str:
    """The key as it stands in a URL's path."""
    return quote(key, safe="/")


def checked_text(value: str, *, param: str, max_bytes: int) -> str:
    """A query parameter that is passed on: no control characters, not endless."""
    if len(value.encode()) > max_bytes:
        raise InvalidRequest(f"The {param} has more than {max_bytes} bytes.", param=param)
    if _CONTROL.search(value) or "\ufffd" in value:
        raise InvalidRequest(f"The {param} has a control character or is not valid UTF-8.", param=param)
    return value


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(f"The document's key {why}.", param="key")
