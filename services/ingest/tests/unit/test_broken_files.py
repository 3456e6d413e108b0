"""Files that cannot be read say why, in words their owner understands."""

import io
import zipfile

import docx
import pytest
from ingest.parsers.archives import MAX_XML_BYTES
from ingest.parsers.document import Unreadable
from ingest.parsers.formats import parse
from pypdf import PdfWriter


def reason(key: str, data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        parse(key, data, lambda: None)
    return str(caught.value)


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return out.getvalue()


def encrypted_pdf(algorithm: str) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def blank_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("key", "data", "words"),
    [
        ("a.exe", b"MZ", ".exe is not supported; supported: md"),
        ("README", b"text", "without an extension is not supported"),
        ("a.md", b"", "empty"),
        ("a.md", b" \n\t\n", "no text"),
        ("a.txt", b"abc\0def", "binary"),
        ("a.md", b"\xff\xfeA", "says it is UTF-16"),
        ("a.json", b'{"a": 1,\n "b" 2}', "line 2"),
        ("a.json", b"[" * 50_000, "nested too deeply"),
        ("a.json", b"[" + b"9" * 5_000 + b"]", "cannot be read"),
        ("a.jsonl", b'{"a": 1}\n{"b":\n', "line 2"),
        ("a.pdf", b"%PDF-1.7 and then nothing", "not a readable PDF"),
        ("a.pdf", b"hello", "not a readable PDF"),
        ("a.pdf", encrypted_pdf("RC4-128"), "encrypted"),
        ("a.pdf", encrypted_pdf("AES-256"), "encrypted"),
        ("a.pdf", blank_pdf(), "scanned"),
        ("a.docx", b"PK\x03\x04 broken", "not a readable DOCX"),
        ("a.docx", b"\xd0\xcf\x11\xe0 old", "encrypted or of the old binary format"),
        ("a.docx", zipped(word__document_xml=b"<a/>"), "not a readable DOCX"),
        ("a.pptx", zipped(x=b"y"), "not a readable PPTX"),
        ("a.csv", b'"' * 3_000_000, "not a readable CSV"),
        ("a.html", b"<!-- nothing -->", "no "),
    ],
)
def test_the_reason_is_plain(key, data, words):
    assert words in reason(key, data)


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    assert "zip bomb" in reason("a.docx", zipped(word__media=b"\0" * (300 * 1024 * 1024)))


def test_much_xml_is_refused_by_its_real_size():
    assert "zip bomb" in reason("a.pptx", zipped(ppt__slide_xml=b"<a/>" * (MAX_XML_BYTES // 4 + 1)))


def test_entities_that_multiply_are_refused():
    laughs = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><l>&b;</l>'
    assert "entities" in reason("a.docx", zipped(word__document_xml=laughs))


def test_an_encrypted_zip_is_refused():
    word = io.BytesIO()
    docx.Document().save(word)
    data = bytearray(word.getvalue())
    at = data.rfind(b"PK\x01\x02")
    data[at + 8] |= 1  # the flag in the directory that says: encrypted
    assert "encrypted" in reason("a.docx", bytes(data))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_read(encoding):
    assert parse("a.txt", "Grüße an alle".encode(encoding), lambda: None).text == "Grüße an alle"


def test_another_encoding_is_guessed():
    text = "Der Überblick über die Größen der Straßen und Häuser in schönen Städten."
    assert parse("a.txt", text.encode("latin-1"), lambda: None).text == text
