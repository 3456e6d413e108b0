"""Untrusted files in the bounded process: whatever they do, the worker gets a reason, soon, and goes on."""

import io
import os
import signal
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ingest.adapters.parser_process import ParserProcess
from ingest.parsers.document import Unreadable
from opskit.errors import Unavailable
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, StreamObject
from reportlab.pdfgen import canvas

pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def extractor(tokenizer: Path) -> Iterator[ParserProcess]:
    process = ParserProcess(tokenizer, max_chunks=200)
    process.start()
    yield process
    process.close()


def pdf_with(content: bytes) -> bytes:
    """A valid PDF whose one page has this content, compressed."""
    out = io.BytesIO()
    page = canvas.Canvas(out)
    page.drawString(10, 10, "hello")
    page.save()
    writer = PdfWriter(clone_from=PdfReader(out))
    stream = StreamObject()
    stream._data = zlib.compress(content, 9)
    stream[NameObject("/Filter")] = NameObject("/FlateDecode")
    writer.pages[0][NameObject("/Contents")] = writer._add_object(stream)
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def test_a_document_becomes_verbatim_chunks_sized_by_the_embedders_tokens(extractor):
    text = "# Title\n\n" + "\n\n".join(f"Paragraph {n} says something of interest. " * 8 for n in range(40))
    found = extractor.extract("a.md", text.encode())
    assert found.title == "Title"
    assert len(found.chunks) > 10
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in found.chunks)


def test_the_reason_comes_through(extractor):
    with pytest.raises(Unreadable, match="line 1"):
        extractor.extract("a.json", b"{")


def test_too_many_chunks_are_refused(extractor):
    with pytest.raises(Unreadable, match="more than 200 chunks"):
        extractor.extract("a.txt", b"word " * 500_000)


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("flate.pdf", pdf_with(b"q Q " * (1 << 28))),
        ("operators.pdf", pdf_with(b"BT (a) Tj ET " * 2_000_000)),
        ("list.md", b"* a\n" * 600_000),
        ("deep.json", b"[" * 10_000_000),
        ("deep.html", b"<div>" * 1_000_000),
        ("links.md", b"[a](" * 300_000),
        ("quotes.md", b"> " * 1_000_000),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bombs_end_with_a_reason_within_ten_seconds(extractor, key, data):
    started = time.monotonic()
    with pytest.raises(Unreadable):
        extractor.extract(key, data)
    assert time.monotonic() - started < 10


def test_a_file_that_hangs_its_parser_is_given_up(tokenizer):
    impatient = ParserProcess(tokenizer, max_chunks=200, stall_seconds=0.2)
    try:
        with pytest.raises(Unreadable, match="too long"):
            impatient.extract("operators.pdf", pdf_with(b"BT (a) Tj ET " * 150_000))
    finally:
        impatient.close()


def test_documents_are_read_side_by_side(extractor):
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda n: extractor.extract(f"{n}.txt", f"text number {n}".encode()), range(40)))
    assert [document.chunks[0].text for document in found] == [f"text number {n}" for n in range(40)]


def test_the_host_is_started_again_when_it_dies(extractor):
    extractor.extract("a.txt", b"some text")
    os.kill(extractor._host.pid, signal.SIGKILL)
    extractor._host.wait()
    deadline = time.monotonic() + 30
    while True:
        try:
            assert extractor.extract("a.txt", b"some text").chunks
            return
        except Unavailable:
            assert time.monotonic() < deadline


def test_no_secret_is_in_the_hosts_environment(extractor, monkeypatch):
    extractor.extract("a.txt", b"some text")
    environment = Path(f"/proc/{extractor._host.pid}/environ").read_bytes()
    assert b"NEXUS_" not in environment


def test_a_missing_tokenizer_is_said_at_once(tmp_path):
    with pytest.raises(FileNotFoundError, match="NEXUS_TOKENIZER_FILE"):
        ParserProcess(tmp_path / "none.json", max_chunks=1)
