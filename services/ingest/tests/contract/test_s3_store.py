"""The S3 store against an S3 server."""

import io

import pytest
from ingest.adapters.s3_client import open_client
from ingest.adapters.s3_store import S3Store
from ingest.keys import DocumentName
from ingest.settings import Settings
from opskit.errors import TooLarge, Unavailable

pytestmark = pytest.mark.contract


@pytest.fixture
def store(s3_settings: Settings) -> S3Store:
    return opened(s3_settings)


def opened(settings: Settings) -> S3Store:
    return S3Store(open_client(settings), settings.s3_bucket, max_bytes=1000)


def named(key: str) -> DocumentName:
    return DocumentName("acme", "default", key)


@pytest.mark.parametrize("key", ["a.md", "deep/er/b.md", "ü😀" * 60 + ".md", "a+b c%20d.md", "both", "both/inner.md"])
def test_what_is_put_can_be_read_listed_and_deleted(store, key):
    etag = store.put(named(key), b"hello")
    assert store.get(named(key)).data == b"hello"
    assert store.get(named(key)).etag == store.etag(named(key)) == etag
    assert {found.name.key: found.etag for found in store.documents()} == {key: etag}
    store.delete(named(key))
    store.delete(named(key))
    assert store.get(named(key)) is None
    assert store.etag(named(key)) is None


def test_the_etag_follows_the_content(store):
    assert store.put(named("a"), b"one") != store.put(named("a"), b"two")
    assert store.put(named("a"), b"one") == store.put(named("a"), b"one")


def test_the_bucket_is_made_when_it_is_missing(store):
    assert store.get(named("a")) is None
    store.check()
    assert list(store.documents()) == []


def test_more_than_a_page_of_objects_is_listed(store):
    for number in range(1_050):
        store.put(named(f"{number:04}.txt"), b"x")
    assert len(list(store.documents())) == 1_050


def test_objects_that_are_no_documents_are_passed_by(store):
    store.put(DocumentName("acme", "default", "a.md"), b"x")
    for path in ("loose.txt", "acme/default/.hidden", "Upper/default/a.md", "acme/default/folder/"):
        client, bucket = store._client, store._bucket
        client.put_object(bucket, path, io.BytesIO(b"x"), 1)
    assert [found.name.key for found in store.documents()] == ["a.md"]


def test_an_object_that_is_too_large_is_not_read(store):
    store.put(named("huge.txt"), b"x" * 1001)
    with pytest.raises(TooLarge):
        store.get(named("huge.txt"))


def test_a_server_that_is_away_is_unavailable(s3_settings):
    store = opened(s3_settings.model_copy(update={"s3_endpoint": "127.0.0.1:1"}))
    for call in (
        store.check,
        lambda: store.get(named("a")),
        lambda: store.put(named("a"), b""),
        lambda: list(store.documents()),
    ):
        with pytest.raises(Unavailable):
            call()
