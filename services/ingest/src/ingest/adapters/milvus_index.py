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
from pymilvus.exceptions import ErrorCode, MilvusException

from ingest.errors import IndexRefused
from ingest.keys import DocumentName
from ingest.ports import Extracted, Indexed, Vectors

_TIMEOUT: Final = 20.0
_AWAY: Final = frozenset({2, int(ErrorCode.COLLECTION_NOT_FOUND), 101, int(ErrorCode.RATE_LIMIT)})
"""No connection, collection gone or not loaded, too busy: trying later is right."""
QUIET: Final = {"grpc.keepalive_time_ms": 330_000, "grpc.keepalive_permit_without_calls": False}
"""pymilvus pings every ten seconds, and a gRPC server that finds that too often hangs up in the middle of work."""
_PARTITIONS: Final = 16
_PARTITIONS_ON_LITE: Final = 1
"""Milvus Lite searches all of them whatever is asked, and writes a file into each for every delete."""
_IDS_AT_ONCE: Final = 200


class MilvusIndex:
    """The chunk index. Writes are serialised: Milvus Lite wants one writer to a collection."""

    def __init__(self, url: str, *, token: str = "", flush: bool = False) -> None:
        self._url = url
        self._token = token
        self._flush = flush
        self._client: MilvusClient | None = None
        self._ready: set[str] = set()
        self._connecting = threading.Lock()
        self._writing = threading.Lock()

    def replace(
        self, fingerprint: str, name: DocumentName, generation: int, extracted: Extracted, vectors: Vectors
    ) -> None:
        """One upsert shows the new generation whole; then older rows are deleted. Should that fail, readers still
        show only the newest generation, and the next attempt cleans up."""
        rows = list(_rows(name, generation, extracted, vectors))
        older = f'{FIELD.DOCUMENT_ID} == "{name.id}" and {FIELD.GENERATION} < {generation}'
        with self._writing, self._collection(fingerprint) as (client, collection):
            client.upsert(collection, rows, timeout=_TIMEOUT)
            client.delete(collection, filter=older, timeout=_TIMEOUT)
            self._settle(client, collection)

    def remove(self, name: DocumentName) -> None:
        """Delete by document, in the collections of all embedders."""
        with self._writing, self._translated() as client:
            for collection in client.list_collections(timeout=_TIMEOUT):
                if collection.startswith(collection_name("")):
                    client.delete(collection, filter=f'{FIELD.DOCUMENT_ID} == "{name.id}"', timeout=_TIMEOUT)
                    self._settle(client, collection)

    def remove_ids(self, fingerprint: str, document_ids: Sequence[str]) -> None:
        """Delete documents by id."""
        with self._writing, self._collection(fingerprint) as (client, collection):
            for at in range(0, len(document_ids), _IDS_AT_ONCE):
                chosen = ", ".join(f'"{document_id}"' for document_id in document_ids[at : at + _IDS_AT_ONCE])
                client.delete(collection, filter=f"{FIELD.DOCUMENT_ID} in [{chosen}]", timeout=_TIMEOUT)
            self._settle(client, collection)

    def count(self, fingerprint: str) -> int:
        """Rows in the collection."""
        with self._collection(fingerprint) as (client, collection):
            found = client.query(collection, filter="", output_fields=["count(*)"], timeout=_TIMEOUT)
            return int(found[0]["count(*)"])

    def contents(self, fingerprint: str) -> Mapping[str, Indexed]:
        """Generations and their sizes, by document."""
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

    def _settle(self, client: MilvusClient, collection: str) -> None:
        if self._flush:
            client.flush(collection, timeout=_TIMEOUT)

    @contextmanager
    def _collection(self, fingerprint: str) -> Iterator[tuple[MilvusClient, str]]:
        name = collection_name(fingerprint)
        with self._translated() as client:
            with self._connecting:
                if name not in self._ready:
                    _ensure(client, name, partitions=_PARTITIONS_ON_LITE if self._flush else _PARTITIONS)
                    self._ready.add(name)
            yield client, name

    @contextmanager
    def _translated(self) -> Iterator[MilvusClient]:
        try:
            yield self._connected()
        except MilvusException as exc:
            self._ready.clear()  # whatever it was, look again whether the collection is there
            if exc.code in _AWAY or "not found" in exc.message.lower() or "connect" in exc.message.lower():
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


def _ensure(client: MilvusClient, name: str, *, partitions: int) -> None:
    """Make the collection when it is missing, and load it: Milvus Lite forgets that at a restart. Whatever goes wrong
    here is no document's fault."""
    try:
        if not client.has_collection(name, timeout=_TIMEOUT):
            client.create_collection(
                name,
                schema=_schema(client),
                index_params=_indexes(client),
                num_partitions=partitions,
                timeout=_TIMEOUT,
            )
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


def _indexes(client: MilvusClient) -> Any:
    """FLAT: on Milvus Lite an approximate index with a selective filter may find nothing at all. The vectors have unit
    length, so their inner product is the cosine, without the norms of all rows at each search."""
    indexes = client.prepare_index_params()
    indexes.add_index(FIELD.DENSE, index_type="FLAT", metric_type="IP")
    indexes.add_index(FIELD.SPARSE, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    return indexes
