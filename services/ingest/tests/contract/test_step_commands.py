"""The commands of the ingest workflow with a real store, catalogue and index: files between them, and exit codes."""

import os
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from ingest.__main__ import cli
from ingest.adapters.folder_store import FolderStore
from ingest.catalogue import Catalogue
from ingest.keys import DocumentName
from opskit.database import open_database
from typer.testing import CliRunner

pytestmark = pytest.mark.contract

NAME = DocumentName("acme", "default", "Guides/a b+c é.md")
TEXT = b"# Guide\n\nThe interval is 120 seconds.\n"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "documents", max_bytes=1_000_000)


@pytest.fixture
def run(tmp_path: Path, milvus_url: str, triton, tokenizer: Path, monkeypatch: pytest.MonkeyPatch):
    """A command; gives its exit code and the state it leaves."""
    for name, value in {
        "NEXUS_INTERNAL_TOKEN": "an-internal-token-of-length",
        "NEXUS_INGEST_DATABASE_URL": f"sqlite:///{tmp_path}/ingest.db",
        "NEXUS_STORE_FOLDER": str(tmp_path / "documents"),
        "NEXUS_MILVUS_URL": milvus_url,
        "NEXUS_MILVUS_FLUSH": "true",
        "NEXUS_TRITON_GRPC": triton.address,
        "NEXUS_TOKENIZER_FILE": str(tokenizer),
    }.items():
        monkeypatch.setenv(name, value)
    state = tmp_path / "state"

    def invoke(*words: str) -> tuple[int, str | None]:
        state.unlink(missing_ok=True)
        done = CliRunner().invoke(cli, [*words, "--state-to", str(state)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, state.read_text() if state.exists() else None

    return invoke


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    return str(tmp_path / "document.json"), str(tmp_path / "vectors.npy")


def test_a_document_is_loaded_embedded_written_and_removed(run, store, files, tmp_path):
    document, vectors = files
    key = quote_plus(NAME.path)
    store.put(NAME, TEXT)
    assert run("load-document", "--object", key, "--encoded", "--out", document) == (0, "handed-over")
    assert run("create-vectors", "--in", document, "--out", vectors) == (0, "handed-over")
    assert run("ingest-vectors", "--in", document, "--vectors", vectors) == (0, "indexed")
    assert run("ingest-vectors", "--in", document, "--vectors", vectors) == (0, "nothing")
    found = Catalogue(open_database(f"sqlite:///{tmp_path}/ingest.db", migrations="ingest.migrations")).find(NAME)
    assert (found.status, found.chunks, found.title) == ("indexed", 1, "Guide")
    store.delete(NAME)
    assert run("remove-document", "--object", NAME.path) == (0, "removed")
    assert run("load-document", "--object", NAME.path, "--out", document) == (0, "nothing")


def test_a_bad_document_is_not_worth_another_try(run, store, files):
    store.put(NAME, b"\0\0\0")
    assert run("load-document", "--object", NAME.path, "--out", files[0]) == (os.EX_DATAERR, "failed")
    assert not Path(files[0]).exists()


def test_an_embedder_that_is_away_is(run, store, files, monkeypatch):
    monkeypatch.setenv("NEXUS_TRITON_GRPC", "127.0.0.1:1")
    store.put(NAME, TEXT)
    assert run("load-document", "--object", NAME.path, "--out", files[0]) == (os.EX_TEMPFAIL, None)


@pytest.mark.parametrize("name", ["acme/default/.hidden", "acme", "acme/default/", "%2E%2E/x/y"])
def test_an_object_that_is_no_document_is_nothing_to_do(run, files, name):
    assert run("load-document", "--object", name, "--encoded", "--out", files[0]) == (0, "nothing")
    assert run("remove-document", "--object", name, "--encoded") == (0, "nothing")


def test_files_that_no_step_wrote_are_refused_for_good(run, files, tmp_path, store):
    document, vectors = files
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x93NUMPY broken")
    assert run("create-vectors", "--in", str(broken), "--out", vectors) == (1, None)
    store.put(NAME, TEXT)
    run("load-document", "--object", NAME.path, "--out", document)
    assert run("ingest-vectors", "--in", document, "--vectors", str(broken)) == (1, None)
