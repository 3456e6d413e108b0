"""Documents as files, whatever else is in the folder."""

import hashlib
import os
from dataclasses import replace

import pytest
from ingest.adapters.folder_store import FolderStore
from ingest.keys import DocumentName
from opskit.errors import Conflict, TooLarge

LONG = "ü😀" * 100 + ".md"
LONG_PATH = "ü" * 140 + "/" + "é" * 140 + ".md"


@pytest.fixture
def store(tmp_path) -> FolderStore:
    return FolderStore(tmp_path / "documents", max_bytes=1000)


def named(key: str) -> DocumentName:
    return DocumentName("acme", "default", key)


def listed(store: FolderStore) -> dict[str, str]:
    return {found.name.key: found.etag for found in store.documents()}


@pytest.mark.parametrize("key", ["a.md", "deep/er/b.md", LONG, LONG_PATH, "x" * 300 + "/y.txt", "50%/a+b c.md"])
def test_what_is_put_can_be_read_listed_and_deleted(store, key):
    etag = store.put(named(key), b"hello")
    assert etag == hashlib.sha256(b"hello").hexdigest()
    assert store.get(named(key)).data == b"hello"
    assert listed(store) == {key: etag}
    store.delete(named(key))
    assert store.get(named(key)) is None
    assert listed(store) == {}


def test_a_deleted_document_takes_its_empty_folders_along_and_no_others(store):
    store.put(named("a/b/c.md"), b"1")
    store.put(named("a/d.md"), b"2")
    store.delete(named("a/b/c.md"))
    place = store.root / "acme" / "default"
    assert sorted(path.name for path in place.rglob("*")) == ["a", "d.md"]


def test_nothing_is_left_of_long_names(store):
    store.put(named(LONG_PATH), b"1")
    store.delete(named(LONG_PATH))
    assert list((store.root / "acme" / "default").iterdir()) == []


def test_the_etag_follows_the_content(store):
    path = store.root / "acme" / "default" / "a.md"
    first = store.put(named("a.md"), b"one")
    path.write_bytes(b"two")
    assert store.etag(named("a.md")) != first
    path.write_bytes(b"one")
    assert store.etag(named("a.md")) == first


def test_an_unchanged_old_file_is_not_read_again(store, monkeypatch):
    store.put(named("a.md"), b"one")
    path = store.root / "acme" / "default" / "a.md"
    os.utime(path, (1_000_000_000, 1_000_000_000))
    monkeypatch.setattr("ingest.adapters.folder_store._JUST_NOW_NS", -1)
    etag = store.etag(named("a.md"))
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert store.etag(named("a.md")) == etag


def test_a_key_is_a_document_or_a_folder_and_not_both(store):
    store.put(named("a"), b"1")
    with pytest.raises(Conflict):
        store.put(named("a/b.md"), b"2")
    store.put(named("c/d.md"), b"3")
    with pytest.raises(Conflict):
        store.put(named("c"), b"4")
    assert set(listed(store)) == {"a", "c/d.md"}


def test_links_are_never_followed(store, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    place = store.root / "acme" / "default"
    place.mkdir(parents=True)
    (place / "link.md").symlink_to(outside / "secret.md")
    (place / "folder").symlink_to(outside)
    assert listed(store) == {}
    assert store.get(named("link.md")) is None
    assert store.get(named("folder/secret.md")) is None
    with pytest.raises(Conflict):
        store.put(named("folder/new.md"), b"1")
    store.delete(named("folder/secret.md"))
    assert (outside / "secret.md").exists()
    assert not (outside / "new.md").exists()


def test_hidden_files_pipes_and_strange_names_are_no_documents(store):
    place = store.root / "acme" / "default"
    place.mkdir(parents=True)
    (place / ".hidden.md").write_text("x")
    (place / ".git").mkdir()
    (place / ".git" / "a.md").write_text("x")
    (place / "line\nbreak.md").write_text("x")
    os.mkfifo(place / "pipe.md")
    (place / os.fsdecode(b"\xff")).mkdir()
    (store.root / "Not A Tenant").mkdir()
    assert listed(store) == {}
    assert store.get(named("pipe.md")) is None


def test_dropped_files_are_found_by_their_place(store):
    path = store.root / "acme" / "default" / "sub" / "a.md"
    path.parent.mkdir(parents=True)
    path.write_text("x")
    assert store.name_at(path) == named("sub/a.md")
    assert store.name_at(store.root / "acme" / "a.md") is None
    assert store.name_at(store.root / "acme" / "default" / ".x.tmp") is None
    assert store.name_at(store.root.parent / "elsewhere") is None


def test_a_failed_write_leaves_the_old_bytes_and_no_rubbish(store, monkeypatch):
    store.put(named("a.md"), b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(Exception, match="disk"):
        store.put(named("a.md"), b"new")
    assert store.get(named("a.md")).data == b"old"
    assert [path.name for path in (store.root / "acme" / "default").iterdir()] == ["a.md"]


def test_a_file_that_is_too_large_is_not_read(store):
    (store.root / "acme" / "default").mkdir(parents=True)
    (store.root / "acme" / "default" / "huge.txt").write_bytes(b"x" * 1001)
    with pytest.raises(TooLarge, match="1,001 bytes"):
        store.get(named("huge.txt"))


def test_tenants_do_not_meet(store):
    store.put(named("a.md"), b"1")
    assert store.get(replace(named("a.md"), tenant="other")) is None
