"""What names a document, and what may. Pure."""

import re
from dataclasses import dataclass

from opskit.contracts.chunks import document_id, scope
from opskit.errors import InvalidRequest
from opskit.identity import NAME_PATTERN

MAX_KEY_BYTES = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]")


@dataclass(frozen=True, slots=True, order=True)
class DocumentName:
    """A document's place: its key inside a knowledge base of a tenant."""

    tenant: str
    knowledge_base: str
    key: str

    @property
    def id(self) -> str:
        """Its fixed-length name, the same in the catalogue, in tasks and in Milvus."""
        return document_id(self.tenant, self.knowledge_base, self.key)

    @property
    def scope(self) -> str:
        """What a search is limited to."""
        return scope(self.tenant, self.knowledge_base)

    @property
    def path(self) -> str:
        """Its name as an object in a bucket."""
        return f"{self.tenant}/{self.knowledge_base}/{self.key}"


def flaw(key: str) -> str | None:
    """Why `key` may not name a document, as the end of a sentence; None when it may."""
    if not key:
        return "is empty"
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "is not valid Unicode"
    if size > MAX_KEY_BYTES:
        return f"has {size:,} bytes; at most {MAX_KEY_BYTES:,} are allowed"
    if _CONTROL.search(key):
        return "has a NUL, another control character, or bytes that are not UTF-8"
    parts = key.split("/")
    if "" in parts:
        return "starts or ends with a slash, or has two in a row"
    if "." in parts or ".." in parts:
        return "has `.` or `..` as a part of its path"
    if any(part.startswith(".") for part in parts):
        return "has a part that starts with a dot; those are hidden files, and not documents"
    return None


def checked_key(key: str) -> str:
    """`key` as it is when it may name a document, InvalidRequest when not."""
    if why := flaw(key):
        raise InvalidRequest(f"The document's key {why}.", param="key")
    return key


def checked_knowledge_base(name: str) -> str:
    """`name` as it is when it may name a knowledge base, InvalidRequest when not."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise InvalidRequest(
            "A knowledge base is named by 1 to 63 of a-z, 0-9 and -, not starting with -.", param="knowledge_base"
        )
    return name


def name_of(path: str) -> DocumentName | None:
    """The document an object `<tenant>/<knowledge base>/<key>` is, or None when it is none."""
    tenant, _, rest = path.partition("/")
    knowledge_base, _, key = rest.partition("/")
    if not (re.fullmatch(NAME_PATTERN, tenant) and re.fullmatch(NAME_PATTERN, knowledge_base)) or flaw(key):
        return None
    return DocumentName(tenant, knowledge_base, key)
