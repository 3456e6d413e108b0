"""Messages and names that two services have to agree on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opskit.contracts import chunks
from opskit.contracts.reader import READER_EVENT, ReaderDelta, ReaderResult, Support, TokenUsage

texts = st.text(max_size=40)


@given(texts, texts, texts, texts)
def test_documents_of_two_owners_never_share_a_name(tenant, base, other_base, key):
    one, two = chunks.document_id(tenant, base, key), chunks.document_id(tenant, other_base, key)
    assert (one == two) == (base == other_base) or "\0" in base + other_base + key + tenant
    assert len(one) == 32


def test_a_chunk_keeps_its_id_while_its_text_and_place_stay():
    document = chunks.document_id("acme", "default", "a.md")
    same = chunks.chunk_id(document, "Text.", "Heading", 1)
    assert chunks.chunk_id(document, "Text.", "Heading", 1) == same
    others = {
        chunks.chunk_id(document, "Text!", "Heading", 1),
        chunks.chunk_id(document, "Text.", "Another", 1),
        chunks.chunk_id(document, "Text.", "Heading", 2),
        chunks.chunk_id(chunks.document_id("acme", "default", "b.md"), "Text.", "Heading", 1),
    }
    assert len(others) == 4
    assert same not in others


@pytest.mark.parametrize(
    ("title", "heading", "read"),
    [("T", "H", "T > H\nx"), ("T", "", "T\nx"), ("", "H", "H\nx"), ("", "", "x")],
)
def test_the_embedder_reads_the_place_and_then_the_words(title, heading, read):
    assert chunks.embedded_text(title, heading, "x") == read


def test_events_of_a_reader_are_told_apart_on_the_wire():
    usage = TokenUsage(prompt_tokens=3, completion_tokens=1)
    support = Support(passage=1, start=0, end=4)
    result = ReaderResult(answer="Yes.", short="Yes", supports=[support], abstained=False, confidence=0.5, usage=usage)
    for event in (ReaderDelta(text="Yes."), result):
        assert READER_EVENT.validate_json(event.model_dump_json()) == event
