"""How a document is cut: verbatim, whole, within the size, along its structure."""

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from ingest.parsers.document import Block, ParsedDocument
from ingest.parsers.formats import parse
from ingest.splitting import MAX_CHARS, MAX_TOKENS, TooLong, split, without_repeats

KINDS = st.sampled_from(["paragraph", "item", "code", "row"])
WORDS = st.lists(st.sampled_from(["alpha", "beta.", "Gamma", "delta:", "ε", "x" * 30, "end!"]), min_size=1, max_size=60)


def count(texts):
    return [len(text.split()) for text in texts]


@st.composite
def documents(draw) -> ParsedDocument:
    """Documents with headings of three levels, pages, and blocks from one word to far too many."""
    text, blocks, path, page = "", [], (), draw(st.sampled_from([0, 1]))
    for _ in range(draw(st.integers(1, 14))):
        if draw(st.integers(0, 3)) == 0:
            level = draw(st.integers(0, len(path)))
            title = draw(st.sampled_from(["Intro", "Usage", "Limits"]))
            path = (*path[: min(level, 2)], title)
            blocks.append(Block(len(text), len(text) + len(title), "heading", path, page))
            text += title
        else:
            words = draw(WORDS) * draw(st.sampled_from([1, 1, 1, 9]))
            separator = "\n" if draw(st.booleans()) else " "
            body = separator.join(words)
            blocks.append(Block(len(text), len(text) + len(body), draw(KINDS), path, page))
            text += body
        text += draw(st.sampled_from(["\n\n", "\n", "\n<!-- between -->\n"]))
        page += draw(st.sampled_from([0, 0, 1])) if page else 0
    return ParsedDocument("Title", text, blocks)


@settings(max_examples=150, deadline=None)
@given(documents())
def test_every_chunk_is_verbatim_and_within_the_size(document):
    for chunk in split(document, count, max_chunks=5000):
        assert document.text[chunk.start : chunk.end] == chunk.text
        assert count([chunk.text])[0] <= MAX_TOKENS
        assert 0 < len(chunk.text) <= MAX_CHARS
        assert chunk.text.strip()


@pytest.mark.parametrize("words", range(150, 220, 3))
def test_an_overlap_leaves_room_for_what_stands_between_two_blocks(words):
    long, short = "\n".join(["alpha " * 29 + "beta."] * 8), "gamma " * words
    text = f"{long}\n<!-- what no block claims -->\n{short}"
    blocks = [Block(0, len(long), "paragraph"), Block(len(text) - len(short), len(text), "paragraph")]
    chunks = split(ParsedDocument("Title", text, blocks), count, max_chunks=10)
    assert max(count([chunk.text for chunk in chunks])) <= MAX_TOKENS


@settings(max_examples=150, deadline=None)
@given(documents())
def test_no_word_is_lost(document):
    chunks = split(document, count, max_chunks=5000)
    covered = {at for chunk in chunks for at in range(chunk.start, chunk.end)}
    said = {part for chunk in chunks for part in chunk.heading.split(" > ")} | {document.title}
    for block in document.blocks:
        if block.kind == "heading":
            shown = set(range(block.start, block.end)) <= covered or block.path[-1] in said
            below = [b for b in document.blocks if b.kind != "heading" and b.path[: len(block.path)] == block.path]
            assert shown or below
        else:
            missing = [at for at in range(block.start, block.end) if at not in covered]
            assert not "".join(document.text[at] for at in missing).strip()


@settings(max_examples=100, deadline=None)
@given(documents())
def test_chunks_come_in_order_stay_on_one_page_and_overlap_only_inside_one_block(document):
    chunks = split(document, count, max_chunks=5000)
    for one, other in itertools.pairwise(chunks):
        assert one.start < other.start
        if other.start < one.end:
            assert any(b.start <= other.start and one.end <= b.end for b in document.blocks)
    for chunk in chunks:
        touched = {b.page for b in document.blocks if b.start < chunk.end and chunk.start < b.end}
        assert touched == {chunk.page}


def chunks_of(markdown: str):
    return split(parse("a.md", markdown.encode(), lambda: None), count, max_chunks=5000)


def words(number: int, word: str = "word") -> str:
    return " ".join([word] * number)


def test_sections_of_a_good_size_stay_apart_and_carry_their_headings():
    chunks = chunks_of(f"# Guide\n\n## Install\n\n{words(120)}\n\n## Use\n\n### Twice\n\n{words(120)}\n")
    assert [chunk.heading for chunk in chunks] == ["Install", "Use > Twice"]
    assert not any("#" in chunk.text for chunk in chunks)


def test_small_neighbours_below_one_heading_become_one_chunk_with_their_headings_in_the_text():
    chunks = chunks_of("# Guide\n\n## A\n\nShort one.\n\n## B\n\nShort two.\n")
    assert len(chunks) == 1
    assert chunks[0].heading == ""
    assert "## A" in chunks[0].text
    assert "## B" in chunks[0].text


def test_code_stays_with_the_sentence_that_introduces_it():
    fence = "```sh\nmake up\nmake test\n```"
    chunks = chunks_of(f"{words(150)}.\n\n{words(60, 'more')}.\n\nRun this:\n\n{fence}\n\n{words(100, 'after')}.\n")
    (holder,) = [chunk for chunk in chunks if "make up" in chunk.text]
    assert "Run this:" in holder.text
    assert holder.text.count("```") == 2


def test_a_long_paragraph_is_cut_between_sentences():
    paragraph = " ".join(f"Sentence number {n} says a little more than nothing." for n in range(100))
    chunks = chunks_of(paragraph)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("Sentence") and chunk.text.endswith("nothing.") for chunk in chunks)


def test_a_sentence_without_end_is_cut_at_words():
    assert all(not chunk.text.strip().startswith("ord") for chunk in chunks_of(words(2000)))


def test_a_word_without_end_is_cut_all_the_same():
    chunks = chunks_of("x" * 20_000)
    assert sum(len(chunk.text) for chunk in chunks) >= 20_000


def test_rows_of_a_long_table_know_their_columns():
    rows = "\n".join(f"| name{n} | {words(12)} |" for n in range(60))
    chunks = chunks_of(f"# T\n\n| flag | meaning |\n|---|---|\n{rows}\n")
    assert len(chunks) > 2
    assert all("| flag | meaning |" in chunk.text or "| flag | meaning |" in chunk.heading for chunk in chunks)


def test_a_comment_between_blocks_counts_towards_the_size():
    comment = f"<!-- {words(30)} -->"
    for chunk in chunks_of("\n\n".join(f"{words(30)}.\n\n{comment}" for _ in range(20))):
        assert count([chunk.text])[0] <= MAX_TOKENS


def test_a_document_with_too_many_chunks_is_refused():
    document = parse("a.md", "\n\n".join([words(200)] * 30).encode(), lambda: None)
    with pytest.raises(TooLong):
        split(document, count, max_chunks=10)


def test_an_edit_changes_only_the_chunks_it_touches():
    paragraphs = [f"{words(90, f'w{n}')}." for n in range(12)]
    before = {chunk.text for chunk in chunks_of("\n\n".join(paragraphs))}
    paragraphs[5] = paragraphs[5].replace("w5", "changed", 1)
    after = {chunk.text for chunk in chunks_of("\n\n".join(paragraphs))}
    assert len(after - before) == 1


def test_the_same_words_in_the_same_place_are_one_chunk():
    document = ParsedDocument(
        "T", "same\n\nsame", [Block(0, 4, "paragraph", ("A",)), Block(6, 10, "paragraph", ("A",))]
    )
    chunks = split(document, lambda texts: [MAX_TOKENS for _ in texts], max_chunks=10)
    assert len(chunks) == 2
    assert [chunk.start for chunk in without_repeats(chunks)] == [0]
