"""How a chunk is stored in Milvus: written by ingest, read by rag."""

import hashlib
from dataclasses import dataclass
from typing import Final

EMBEDDING_DIMENSION: Final = 384


@dataclass(frozen=True)
class Field:
    """Names of the collection's fields."""

    ID: str = "id"  # chunk id, the primary key
    DOCUMENT_ID: str = "doc_id"  # `document_id(...)`: what a document's chunks are deleted by
    SCOPE: str = "scope"  # `scope(...)`: the partition key, and the filter of every search
    DOCUMENT: str = "document"  # the document's key
    GENERATION: str = "generation"  # int64, grows with each indexed version of the document
    ORDINAL: str = "ordinal"  # int64, place of the chunk in the document, from 0
    PAGE: str = "page"  # int64, 1-based page or slide; 0 where the format has none
    TITLE: str = "title"  # the document's title
    HEADING: str = "heading"  # headings above the chunk, joined by " > "; may be empty
    TEXT: str = "text"  # verbatim text of the document
    TERMS: str = "terms"  # lexical_text of title, heading and text
    DENSE: str = "dense"  # float vector of unit length; compared by inner product, which is the cosine then
    SPARSE: str = "sparse"  # BM25 of TERMS, made by Milvus


FIELD: Final = Field()


def collection_name(embedder_fingerprint: str) -> str:
    """The collection that belongs to one embedder: vectors of two embedders never mix."""
    return f"nexus_{embedder_fingerprint[:12]}"


def scope(tenant: str, knowledge_base: str) -> str:
    """One tenant's one knowledge base. Both parts match identity.NAME_PATTERN, so the value is safe in a filter."""
    return f"{tenant}/{knowledge_base}"


def document_id(tenant: str, knowledge_base: str, document: str) -> str:
    """A fixed-length name for a document, safe in a filter whatever its key holds."""
    return hashlib.sha256(f"{tenant}\0{knowledge_base}\0{document}".encode()).hexdigest()[:32]


def chunk_id(document_id: str, text: str, heading: str, page: int) -> str:
    """The same text in the same place of the same document keeps its id over edits elsewhere."""
    digest = hashlib.sha256(f"{document_id}\0{page}\0{heading}\0{text}".encode()).hexdigest()
    return f"chk_{digest[:28]}"


def embedded_text(title: str, heading: str, text: str) -> str:
    """What the embedder reads for a chunk: its place, then its words."""
    place = " > ".join(part for part in (title, heading) if part)
    return f"{place}\n{text}" if place else text
