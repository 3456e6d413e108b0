"""What may name a document, whatever bytes arrive."""

import string
from urllib.parse import quote, quote_from_bytes

import pytest
from gateway.document_keys import checked_key, encoded_key, key_of
from hypothesis import assume, example, given
from hypothesis import strategies as st
from opskit.errors import InvalidRequest

PREFIX = b"/v1/documents/"
PART = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\u2028\u2029"), min_size=1, max_size=20
).filter(lambda part: part not in (".", ".."))
HONEST_KEY = st.lists(PART, min_size=1, max_size=5).map("/".join).filter(lambda key: len(key.encode()) <= 1024)


@given(HONEST_KEY)
@example("日" * 200)
@example("100%.md")
@example("a b/c?d#e")
@example("...")
@example("..a/b..")
def test_an_honest_key_survives_the_way_through_the_url(key):
    path = PREFIX + encoded_key(key).encode()
    assert key_of(path) == key


@given(HONEST_KEY)
def test_an_encoded_slash_is_a_slash(key):
    assert key_of(PREFIX + quote(key, safe="").encode()) == key


@given(st.binary(max_size=80))
def test_any_bytes_give_a_safe_key_or_a_reason(data):
    try:
        key = key_of(PREFIX + quote_from_bytes(data, safe="/").encode())
    except InvalidRequest:
        return
    assert key.encode() == data
    assert not {"", ".", ".."} & set(key.split("/"))
    assert "\0" not in key


@given(st.text(string.printable, max_size=60))
def test_any_raw_path_gives_a_key_or_a_reason(text):
    try:
        key = key_of(PREFIX + text.encode())
    except InvalidRequest:
        return
    assert checked_key(key) == key


@given(HONEST_KEY, st.sampled_from(["..", ".", ""]), st.integers(0, 5))
def test_a_key_with_a_step_up_or_an_empty_part_is_refused_wherever_it_stands(key, step, place):
    parts = key.split("/")
    parts.insert(place, step)
    with pytest.raises(InvalidRequest):
        checked_key("/".join(parts))


@given(HONEST_KEY, st.characters(categories=["Cc"]), st.integers(0, 100))
def test_a_control_character_is_refused_wherever_it_stands(key, control, place):
    with pytest.raises(InvalidRequest, match="control character"):
        checked_key(key[:place] + control + key[place:])


@given(st.binary(min_size=1, max_size=20))
def test_what_is_not_utf8_is_refused_and_not_replaced(data):
    assume(_not_utf8(data))
    with pytest.raises(InvalidRequest, match="UTF-8"):
        key_of(PREFIX + b"a" + quote_from_bytes(data, safe="").encode())


def test_the_limit_is_in_bytes():
    assert checked_key("x" * 1024)
    with pytest.raises(InvalidRequest, match="1025 bytes"):
        checked_key("x" * 1025)
    with pytest.raises(InvalidRequest, match="1026 bytes"):
        checked_key("日" * 342)


@pytest.mark.parametrize("path", [b"100%.md", b"a%2", b"a%zz", b"%"])
def test_a_broken_escape_is_refused_and_not_guessed(path):
    with pytest.raises(InvalidRequest, match="hexadecimal"):
        key_of(PREFIX + path)


def _not_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False
