"""Bytes to text: UTF-8 first, a stated encoding next, a guess last. What is not text is refused with a reason."""

import codecs
import re

from charset_normalizer import from_bytes

from ingest.parsers.document import Unreadable

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_STATED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""")
_SAMPLE_BYTES = 256 * 1024


def decoded(data: bytes) -> str:
    """The text of `data` with line ends as \\n."""
    return _decoded(data).replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _strict(data, encoding)
    if b"\0" in data:
        raise Unreadable("The file holds NUL bytes: it is binary, not text.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        stated = _STATED.search(data[:2048])
    if stated and (text := _attempt(data, stated.group(1).decode("ascii"))) is not None:
        return text
    guess = from_bytes(data[:_SAMPLE_BYTES]).best()
    if guess is None or (text := _attempt(data, guess.encoding)) is None:
        raise Unreadable("The text's encoding cannot be told; save it as UTF-8.")
    return text


def _attempt(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(codecs.lookup(encoding).name)
    except (LookupError, UnicodeDecodeError):
        return None


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise Unreadable(f"The file says it is {encoding.removesuffix('-sig').upper()} but is not.") from exc
