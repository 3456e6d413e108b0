"""What an index of vectors holds in memory and on disk, for each chunk, by its type."""

from dataclasses import dataclass

DIMENSION = 384
LINKS = 18
"""M of Milvus' own choice (AUTOINDEX): a graph keeps twice as many links in its lowest layer, four bytes each."""
_GRAPH = 2 * LINKS * 4 + LINKS * 4 / (LINKS - 1) + 8
_RAW = 4 * DIMENSION
_SECTOR = 4096
_PER_SECTOR = _SECTOR // (_RAW + 56 * 4 + 4)
"""Nodes of DiskANN's graph (vector, 56 links, their number) that fit in what is read at once."""


@dataclass(frozen=True)
class IndexType:
    """Bytes of a chunk's vector in memory, and on the local disk of a query node."""

    name: str
    memory: float
    disk: float
    note: str


FLAT = IndexType("FLAT", _RAW, 0, "exact; time grows with the number of chunks")
HNSW = IndexType("HNSW (AUTOINDEX)", _RAW + _GRAPH, 0, "what ingest makes today; the fastest, the largest")
HNSW_SQ8 = IndexType("HNSW_SQ, 8 bits", DIMENSION + _GRAPH, 0, "a graph over bytes")
IVF_SQ8 = IndexType("IVF_SQ8", DIMENSION + 8, 0, "lists of bytes")
RABITQ = IndexType("IVF_RABITQ", DIMENSION / 8 + 16, 0, "one bit a dimension, no second look: recall suffers")
RABITQ_SQ8 = IndexType("IVF_RABITQ + SQ8", DIMENSION / 8 + 16 + DIMENSION, 0, "a second look at bytes wins recall back")
DISKANN = IndexType(
    "DISKANN", 0.125 * _RAW + 0.1 * _RAW, _SECTOR / _PER_SECTOR, "codes and a cache in memory, the rest on NVMe"
)
TYPES = (FLAT, HNSW, HNSW_SQ8, IVF_SQ8, RABITQ, RABITQ_SQ8, DISKANN)
