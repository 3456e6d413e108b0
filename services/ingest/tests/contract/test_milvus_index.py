"""The chunk index on a real Milvus Lite server."""

import uuid
from collections.abc import Iterator
from dataclasses import replace

import grpc
import numpy as np
import pytest
from ingest.adapters.milvus_index import QUIET, MilvusIndex, _schema
from ingest.errors import IndexRefused
from ingest.keys import DocumentName
from ingest.ports import Extracted, Vectors
from ingest.splitting import Chunk
from opskit.contracts.chunks import EMBEDDING_DIMENSION, FIELD, collection_name
from opskit.errors import Unavailable
from opskit.lexical import lexical_text
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

pytestmark = pytest.mark.contract
NAME = DocumentName("acme", "default", "guide/intro.md")


@pytest.fixture
def index(milvus_url: str) -> Iterator[MilvusIndex]:
    opened = MilvusIndex(milvus_url)
    yield opened
    opened.close()


@pytest.fixture
def fingerprint() -> str:
    return uuid.uuid4().hex * 2


@pytest.fixture
def client(milvus_url: str) -> Iterator[MilvusClient]:
    opened = MilvusClient(milvus_url, grpc_options=QUIET)
    yield opened
    opened.close()


def extracted(*texts: str) -> Extracted:
    return Extracted("Guide", [Chunk(n, n + len(text), text, "Use > Twice", n % 2) for n, text in enumerate(texts)])


def vectors(document: Extracted) -> Vectors:
    made = [
        np.random.default_rng(list(chunk.text.encode())).normal(size=EMBEDDING_DIMENSION) for chunk in document.chunks
    ]
    return np.array([vector / np.linalg.norm(vector) for vector in made], dtype=np.float32)


def write(index, fingerprint, name, generation, *texts: str) -> None:
    document = extracted(*texts)
    index.replace(fingerprint, name, generation, document, vectors(document))


def rows(client: MilvusClient, fingerprint: str, name: DocumentName) -> list[dict]:
    return client.query(collection_name(fingerprint), filter=f'{FIELD.DOCUMENT_ID} == "{name.id}"', output_fields=["*"])


def test_a_generation_replaces_the_one_before(index, client, fingerprint):
    write(index, fingerprint, NAME, 1, "kept text", "old text")
    kept = {row[FIELD.TEXT]: row[FIELD.ID] for row in rows(client, fingerprint, NAME)}["kept text"]
    write(index, fingerprint, NAME, 3, "kept text", "new text", "more text")
    found = {row[FIELD.TEXT]: row for row in rows(client, fingerprint, NAME)}
    assert found.keys() == {"kept text", "new text", "more text"}
    assert {row[FIELD.GENERATION] for row in found.values()} == {3}
    assert found["kept text"][FIELD.ID] == kept
    assert index.count(fingerprint) == 3


def test_a_row_says_what_the_reader_needs(index, client, fingerprint):
    write(index, fingerprint, NAME, 1, "first", "second words")
    (row,) = [row for row in rows(client, fingerprint, NAME) if row[FIELD.ORDINAL] == 1]
    assert row[FIELD.SCOPE] == "acme/default"
    assert row[FIELD.DOCUMENT] == "guide/intro.md"
    assert (row[FIELD.TITLE], row[FIELD.HEADING], row[FIELD.PAGE]) == ("Guide", "Use > Twice", 1)
    assert row[FIELD.TERMS] == lexical_text("Guide\nUse > Twice\nsecond words")


def test_dense_and_lexical_search_find_it_in_its_scope_only(index, client, fingerprint):
    other = replace(NAME, tenant="other")
    write(index, fingerprint, NAME, 1, "the quick zebra", "the slow snail")
    write(index, fingerprint, other, 1, "the quick zebra")
    scope = f'{FIELD.SCOPE} == "acme/default"'
    query = vectors(extracted("the quick zebra"))[0]
    for data, field in (([query.tolist()], FIELD.DENSE), ([lexical_text("zebras")], FIELD.SPARSE)):
        (hits,) = client.search(
            collection_name(fingerprint),
            data,
            anns_field=field,
            limit=5,
            filter=scope,
            output_fields=[FIELD.TEXT, FIELD.SCOPE],
        )
        assert hits[0]["entity"][FIELD.TEXT] == "the quick zebra"
        assert {hit["entity"][FIELD.SCOPE] for hit in hits} == {"acme/default"}


def test_a_document_is_removed_from_every_embedders_collection(index, fingerprint):
    second = uuid.uuid4().hex * 2
    for each in (fingerprint, second):
        write(index, each, NAME, 1, "text one")
        write(index, each, replace(NAME, key="other.md"), 1, "text two")
    index.remove(NAME)
    assert index.count(fingerprint) == index.count(second) == 1


def test_contents_are_told_by_document_and_generation(index, fingerprint):
    names = [replace(NAME, key=f"{number}.md") for number in range(3)]
    for number, name in enumerate(names, start=1):
        write(index, fingerprint, name, number, *(f"text {n} of {number}" for n in range(number)))
    held = {key: dict(value.generations) for key, value in index.contents(fingerprint).items()}
    assert held == {name.id: {number: number} for number, name in enumerate(names, start=1)}
    index.remove_ids(fingerprint, [names[0].id, names[2].id])
    assert index.contents(fingerprint).keys() == {names[1].id}


def test_an_empty_index_is_empty(index, fingerprint):
    assert index.count(fingerprint) == 0
    assert index.contents(fingerprint) == {}
    index.remove(NAME)


def test_strange_text_is_kept_as_it_is(index, client, fingerprint):
    texts = ["ü😀 \u200b \"quotes\" 'and' \\ backslashes", "x" * 1700, "🙂" * 1700, "…"]
    write(index, fingerprint, replace(NAME, key="ü" * 500 + '".md'), 1, *texts)
    found = rows(client, fingerprint, replace(NAME, key="ü" * 500 + '".md'))
    assert {row[FIELD.TEXT] for row in found} == set(texts)


def test_five_thousand_chunks_appear_in_one_call(index, fingerprint):
    write(index, fingerprint, NAME, 1, *(f"chunk number {n} " + "words " * 150 for n in range(5_000)))
    assert index.count(fingerprint) == 5_000


def test_a_collection_dropped_behind_our_back_is_made_again(index, client, fingerprint):
    write(index, fingerprint, NAME, 1, "text one")
    client.drop_collection(collection_name(fingerprint))
    with pytest.raises(Unavailable):
        write(index, fingerprint, NAME, 2, "text one")
    write(index, fingerprint, NAME, 3, "text one")
    assert index.count(fingerprint) == 1


def test_counting_notices_at_once_that_the_collection_vanished(index, client, fingerprint):
    write(index, fingerprint, NAME, 1, "text one")
    client.drop_collection(collection_name(fingerprint))
    assert index.count(fingerprint) == 0
    assert index.contents(fingerprint) == {}


def test_a_collection_that_was_made_without_its_indexes_gets_them(index, client, fingerprint):
    collection = collection_name(fingerprint)
    client.create_collection(collection, schema=_schema(client))
    assert client.list_indexes(collection) == []
    write(index, fingerprint, NAME, 1, "text one")
    assert index.count(fingerprint) == 1
    assert len(client.list_indexes(collection)) == 2


def test_lite_gets_an_exact_index_and_reads_see_all(index, client, fingerprint):
    write(index, fingerprint, NAME, 1, "text one")
    (dense,) = client.list_indexes(collection_name(fingerprint), field_name=FIELD.DENSE)
    assert client.describe_index(collection_name(fingerprint), dense)["index_type"] == "FLAT"


def test_a_huge_document_goes_in_several_messages(index, client, fingerprint, monkeypatch):
    monkeypatch.setattr("ingest.adapters.milvus_index._MOST_BYTES", 5_000)
    write(index, fingerprint, NAME, 1, *(f"chunk {n}" for n in range(10)))
    assert index.count(fingerprint) == 10


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        (9, "quota exceeded", Unavailable),
        (106, "collection on recovering", Unavailable),
        (503, "channel not available", Unavailable),
        (1, "Retry timeout: 20s", Unavailable),
        (grpc.StatusCode.UNAVAILABLE, "away", Unavailable),
        (1100, "the length exceeds the maximum", IndexRefused),
        (1, "unexpected error", IndexRefused),
    ],
)
def test_what_a_server_cannot_do_now_is_no_documents_fault(index, code, message, error):
    with pytest.raises(error), index._translated():
        raise MilvusException(code, message)


def test_a_server_that_is_away_is_unavailable(fingerprint):
    with pytest.raises(Unavailable):
        MilvusIndex("http://127.0.0.1:1").count(fingerprint)
