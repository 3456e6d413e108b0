"""Keys of any length become file names, and come back."""

import hypothesis.strategies as st
from hypothesis import given
from ingest.file_names import MAX_NAME_BYTES, file_name, segment_of, sidecar_name

SEGMENTS = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=400)


@given(SEGMENTS)
def test_a_segment_comes_back_from_its_file_name(segment):
    name = file_name(segment)
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert segment_of(name, segment if sidecar_name(name) else None) == segment


@given(SEGMENTS, SEGMENTS)
def test_two_segments_never_share_a_file(one, other):
    assert (file_name(one) == file_name(other)) == (one == other)


def test_a_segment_that_looks_shortened_is_shortened_too():
    long = "x" * 300 + ".md"
    pretender = file_name(long)
    assert file_name(pretender) != pretender


def test_a_shortened_name_keeps_its_beginning_and_its_extension():
    name = file_name("handbook " * 40 + ".pdf")
    assert name.startswith("handbook handbook")
    assert name.endswith(".pdf")


def test_a_shortened_name_without_its_sidecar_is_no_document():
    name = file_name("x" * 300)
    assert segment_of(name, None) is None
    assert segment_of(name, "something else") is None
