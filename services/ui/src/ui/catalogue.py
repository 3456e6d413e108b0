"""Which documents a list shows, and how a batch of uploads stands. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ui.models import Document
from ui.wording import Trouble

BASE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
Show = Literal["All", "Indexed", "In progress", "Failed"]
SHOWS: tuple[Show, ...] = ("All", "Indexed", "In progress", "Failed")


@dataclass
class Upload:
    """One file sent in during this visit, and the last that was heard of it."""

    key: str
    base: str
    document: Document | None = None
    trouble: Trouble | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.trouble is not None or (self.document is not None and self.document.settled)


def kind(document: Document) -> Show:
    """Under which heading of the list a document stands."""
    if document.status == "indexed":
        return "Indexed"
    return "Failed" if document.status == "failed" else "In progress"


def listed(documents: Iterable[Document], *, text: str = "", show: Show = "All") -> list[Document]:
    """Those whose key holds every word of `text`, of the kind to show. Deleted ones never."""
    words = text.casefold().split()
    return [
        document
        for document in documents
        if document.status != "deleted"
        and (show == "All" or kind(document) == show)
        and all(word in document.document.casefold() for word in words)
    ]


def counts(documents: Iterable[Document]) -> Counter[Show]:
    """How many there are of each kind."""
    found: Counter[Show] = Counter()
    for document in listed(documents):
        found.update(("All", kind(document)))
    return found


def followed(uploads: Sequence[Upload], base: str, documents: Iterable[Document]) -> list[Upload]:
    """Tell the uploads of `base` how they stand now. Returns those the list did not hold."""
    known = {document.document: document for document in documents}
    missing = []
    for upload in uploads:
        if upload.settled:
            continue
        if upload.base == base and upload.key in known:
            upload.document = known[upload.key]
        else:
            missing.append(upload)
    return missing


def upload_key(folder: str, name: str) -> str:
    """The document key of a file put into a folder."""
    parts = [part.strip() for part in folder.replace("\\", "/").split("/")]
    return "/".join([*(part for part in parts if part), name])
