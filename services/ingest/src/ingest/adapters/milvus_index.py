"""Chunks in Milvus, Lite or server, by pymilvus.

LlamaIndex's MilvusVectorStore is not used for writing: it makes its own schema, has no BM25 over terms of ours, and
writes in batches, while a generation must appear in one call and old ones must go by a filter.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from opskit.contracts.chunks import EMBEDDING_DIMENSION, FIELD, chunk_id, collection_name
from opskit.errors import Unavailable
from opskit.lexical import lexical_text
from pymilvus import DataType, Function, FunctionType, MilvusClient
from pymilvus.exceptions import MilvusException

from ingest.errors import IndexRefused
from ingest.keys import DocumentName
from ingest.ports import Extracted, Indexed, Vectors

_TIMEOUT: Final = 20.0
_AWAY: Final = frozenset(
    {2, 3, 4, 7, 8, 9, 11, 12}  # unavailable, limits of memory, requests, disk and quota, time ticks late, resources
    | set(range(100, 107))  # collections: gone, not loaded or not fully, being recovered
    | {200, 201, 202, 305, 400, 401, *range(500, 505), *range(600, 605), *range(901, 907)}  # parts of it not there yet
    | {700, 1000, 1001, 1002, *range(1300, 1304), 1400, 1401, 10_000, 10_001}  # index, disk, log, rights, time
)
"""Codes of a server that cannot do it now, whatever the document: trying later is right."""
_AWAY_WORDS: Final = ("not found", "not ready", "connect", "retry timeout", "retry run out")
QUIET: Final = {"grpc.keepalive_time_ms": 330_000, "grpc.keepalive_permit_without_calls": False}
"""pymilvus pings every ten seconds, and a gRPC server that finds that too often hangs up in the middle of work."""
_PARTITIONS: Final = 16
_PARTITIONS_ON_LITE: Final = 1
"""Milvus Lite searches all of them whatever is asked, and writes a file into each for every delete."""
_LITE: Final = "milvus_lite"
_MOST_BYTES: Final = 32 * 1024 * 1024
"""A server takes messages of at most 64 MiB."""
_IDS_AT_ONCE: Final = 200
_SEES_ALL: Final = "Strong"
"""A server reads seconds in the past by default. A delete by what was true then would take rows that are new since."""


class MilvusIndex:
    """The chunk index. Writes are serialised: Milvus Lite wants one writer to a collection."""

    def __init__(self, url: str, *, token: str = "", flush: bool | None = None) -> None:
        """`flush`: after each document; None: when the server is Milvus Lite, which scans rows that are not flushed."""
        self._url = url
        self._token = token
        self._flush = flush
        self._lite: bool | None = None
        self._client: MilvusClient | None = None
        self._ready: set[str] = set()
        self._connecting = threading.Lock()
        self._writing = threading.Lock()

    def replace(
        self, fingerprint: str, name: DocumentName, generation: int, extracted: Extracted, vectors: Vectors
    ) -> None:
        """One upsert shows the new generation whole (several when it is huge); then older rows are deleted. Should that
        fail, readers still show only the newest generation, and the next attempt cleans up."""
        rows = _rows(name, generation, extracted, vectors)
        ours = f'{FIELD.SCOPE} == "{name.scope}" and {FIELD.DOCUMENT_ID} == "{name.id}"'
        with self._writing, self._collection(fingerprint) as (client, collection):
            for batch in _batches(rows, _MOST_BYTES):
                client.upsert(collection, batch, timeout=_TIMEOUT)
            self._delete(client, collection, f"{ours} and {FIELD.GENERATION} < {generation}")
            self._settle(client, collection)

    def remove(self, name: DocumentName) -> None:
        """Delete by document, in the collections of all embedders."""
        with self._writing, self._translated() as client:
            for collection in client.list_collections(timeout=_TIMEOUT):
                if collection.startswith(collection_name("")):
                    self._delete(client, collection, f'{FIELD.DOCUMENT_ID} == "{name.id}"')
                    self._settle(client, collection)

    def remove_ids(self, fingerprint: str, document_ids: Sequence[str]) -> None:
        """Delete documents by id."""
        with self._writing, self._collection(fingerprint) as (client, collection):
            for at in range(0, len(document_ids), _IDS_AT_ONCE):
                chosen = ", ".join(f'"{document_id}"' for document_id in document_ids[at : at + _IDS_AT_ONCE])
                self._delete(client, collection, f"{FIELD.DOCUMENT_ID} in [{chosen}]")
            self._settle(client, collection)

    def count(self, fingerprint: str) -> int:
        """Rows in the collection. One that vanished is made again here, and is empty."""
        self._ready.clear()
        with self._collection(fingerprint) as (client, collection):
            found = client.query(
                collection, filter="", output_fields=["count(*)"], consistency_level=_SEES_ALL, timeout=_TIMEOUT
            )
            return int(found[0]["count(*)"])

    def contents(self, fingerprint: str) -> Mapping[str, Indexed]:
        """Generations and their sizes, by document. The iterator reads at the collection's own consistency level."""
        counted: defaultdict[str, Counter[int]] = defaultdict(Counter)
        with self._collection(fingerprint) as (client, collection):
            rows = client.query_iterator(
                collection, batch_size=1000, output_fields=[FIELD.DOCUMENT_ID, FIELD.GENERATION], timeout=_TIMEOUT
            )
            while batch := rows.next():
                for row in batch:
                    counted[row[FIELD.DOCUMENT_ID]][row[FIELD.GENERATION]] += 1
            rows.close()
        return {document_id: Indexed(generations) for document_id, generations in counted.items()}

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()

    def _delete(self, client: MilvusClient, collection: str, chosen: str) -> None:
        client.delete(collection, filter=chosen, consistency_level=_SEES_ALL, timeout=_TIMEOUT)

    def _settle(self, client: MilvusClient, collection: str) -> None:
        if self._flush if self._flush is not None else self._is_lite(client):
            client.flush(collection, timeout=_TIMEOUT)

    def _is_lite(self, client: MilvusClient) -> bool:
        if self._lite is None:
            self._lite = str(client.get_server_version(timeout=_TIMEOUT)).startswith(_LITE)
        return self._lite

    @contextmanager
    def _collection(self, fingerprint: str) -> Iterator[tuple[MilvusClient, str]]:
        name = collection_name(fingerprint)
        with self._translated() as client:
            with self._connecting:
                if name not in self._ready:
                    _ensure(client, name, lite=self._is_lite(client))
                    self._ready.add(name)
            yield client, name

    @contextmanager
    def _translated(self) -> Iterator[MilvusClient]:
        try:
            yield self._connected()
        except MilvusException as exc:
            self._ready.clear()  # whatever it was, look again whether the collection is there
            if _is_away(exc):
                raise Unavailable(f"Milvus cannot be used: {exc.message}"[:300]) from exc
            raise IndexRefused(f"Milvus refused: {exc.message}"[:300]) from exc
        except grpc.RpcError as exc:
            self._ready.clear()
            raise Unavailable("Milvus cannot be reached.") from exc

    def _connected(self) -> MilvusClient:
        with self._connecting:
            if self._client is None:
                # pymilvus shares connections by address: with another client's options it would ping again.
                self._client = MilvusClient(
                    self._url, token=self._token, timeout=3.0, dedicated=True, grpc_options=QUIET
                )
            return self._client


def _rows(name: DocumentName, generation: int, extracted: Extracted, vectors: Vectors) -> Iterator[dict[str, Any]]:
    document_id = name.id
    for ordinal, (chunk, vector) in enumerate(zip(extracted.chunks, vectors, strict=True)):
        yield {
            FIELD.ID: chunk_id(document_id, chunk.text, chunk.heading, chunk.page),
            FIELD.DOCUMENT_ID: document_id,
            FIELD.SCOPE: name.scope,
            FIELD.DOCUMENT: name.key,
            FIELD.GENERATION: generation,
            FIELD.ORDINAL: ordinal,
            FIELD.PAGE: chunk.page,
            FIELD.TITLE: extracted.title,
            FIELD.HEADING: chunk.heading,
            FIELD.TEXT: chunk.text,
            FIELD.TERMS: lexical_text(f"{extracted.title}\n{chunk.heading}\n{chunk.text}"),
            FIELD.DENSE: vector,
        }


def _batches(rows: Iterator[dict[str, Any]], most_bytes: int) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        weight = sum(len(value.encode()) if isinstance(value, str) else 8 for value in row.values())
        weight += 4 * EMBEDDING_DIMENSION
        if batch and size + weight > most_bytes:
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += weight
    if batch:
        yield batch


def _is_away(exc: MilvusException) -> bool:
    if isinstance(exc.code, grpc.StatusCode) or exc.code in _AWAY:
        return True
    return any(words in exc.message.lower() for words in _AWAY_WORDS)


def _ensure(client: MilvusClient, name: str, *, lite: bool) -> None:
    """Make the collection and its indexes where they are missing (a worker may have died between the two), and load
    it: Milvus Lite forgets that at a restart. Whatever goes wrong here is no document's fault."""
    try:
        if not client.has_collection(name, timeout=_TIMEOUT):
            client.create_collection(
                name,
                schema=_schema(client),
                num_partitions=_PARTITIONS_ON_LITE if lite else _PARTITIONS,
                consistency_level=_SEES_ALL,
                timeout=_TIMEOUT,
            )
        for field in (FIELD.DENSE, FIELD.SPARSE):
            if not client.list_indexes(name, field_name=field):
                client.create_index(name, _index(client, field, lite=lite), timeout=_TIMEOUT)
        client.load_collection(name, timeout=_TIMEOUT)
    except MilvusException as exc:
        raise Unavailable(f"Milvus cannot be used: {exc.message}"[:300]) from exc


def _schema(client: MilvusClient) -> Any:
    """Lengths are in bytes and hold the longest values that splitting can make."""
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(FIELD.ID, DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field(FIELD.DOCUMENT_ID, DataType.VARCHAR, max_length=64)
    schema.add_field(FIELD.SCOPE, DataType.VARCHAR, max_length=200, is_partition_key=True)
    schema.add_field(FIELD.DOCUMENT, DataType.VARCHAR, max_length=1100)
    for field in (FIELD.GENERATION, FIELD.ORDINAL, FIELD.PAGE):
        schema.add_field(field, DataType.INT64)
    schema.add_field(FIELD.TITLE, DataType.VARCHAR, max_length=2048)
    schema.add_field(FIELD.HEADING, DataType.VARCHAR, max_length=8192)
    schema.add_field(FIELD.TEXT, DataType.VARCHAR, max_length=65_535)
    schema.add_field(
        FIELD.TERMS,
        DataType.VARCHAR,
        max_length=65_535,
        enable_analyzer=True,
        analyzer_params={"tokenizer": "standard"},  # finds the words again; Milvus Lite has no "whitespace"
    )
    schema.add_field(FIELD.DENSE, DataType.FLOAT_VECTOR, dim=EMBEDDING_DIMENSION)
    schema.add_field(FIELD.SPARSE, DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(
            name="bm25",
            function_type=FunctionType.BM25,
            input_field_names=[FIELD.TERMS],
            output_field_names=[FIELD.SPARSE],
        )
    )
    return schema


def _index(client: MilvusClient, field: str, *, lite: bool) -> Any:
    """FLAT on Milvus Lite: there an approximate index with a selective filter may find nothing at all. A server chooses
    (a graph), and knows what to do when a filter leaves little. The vectors have unit length, so their inner product is
    the cosine, without the norms of all rows at each search."""
    index = client.prepare_index_params()
    if field == FIELD.SPARSE:
        index.add_index(field, index_name=field, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    else:
        index.add_index(field, index_name=field, index_type="FLAT" if lite else "AUTOINDEX", metric_type="IP")
    return index
