"""What is read of Markdown, and where it lies in the source."""

import pytest
from grounding.reading import plain, read
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("source", "read_as"),
    [
        ("plain words", "plain words"),
        ("set `--set` now", "set --set now"),
        ("a **bold** and *soft* word", "a bold and soft word"),
        ("an __important__ and _soft_ word", "an important and soft word"),
        ("snake_case_name stays", "snake_case_name stays"),
        ("`*.yaml` and `a_b_` stay", "*.yaml and a_b_ stay"),
        ("see [the docs](https://example.com/a_b) first", "see the docs first"),
        ("see [the docs][1] first", "see the docs first"),
        ("![logo](logo.png)Title", "Title"),
        ("<https://example.com>", "https://example.com"),
        ("line<br>break", "linebreak"),
        ("replace <namespace> here", "replace <namespace> here"),
        ("> quoted\n> again", "quoted\nagain"),
        ("## Heading", "Heading"),
        ("> [!NOTE]\n> Mind this.", "\nMind this."),
        ("a \\_b\\_ c", "a _b_ c"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("| Flag | Default |\n|---|---|\n| `--x` | 5 |", "Flag, Default\n\n--x, 5"),
        ("```yaml\na: 1\n```", "\na: 1\n"),
    ],
)
def test_markup_is_left_out(source: str, read_as: str):
    assert read(source).text == read_as


def test_every_character_knows_its_place_in_the_source():
    source = "The **default** is `120 seconds` ([docs](x))."
    reading = read(source)
    start = reading.text.index("120 seconds")
    first, last = reading.source_range(start, start + len("120 seconds"))
    assert source[first:last] == "120 seconds"


def test_a_person_still_sees_inline_code_as_code():
    assert plain("> **Use** `helm  list`\n> [now](x)") == "Use `helm list` now"


@given(st.text(alphabet="ab `*_[]()|<>#!\n-\\~:>", max_size=80))
def test_any_text_is_read_as_a_part_of_itself_in_order(source: str):
    reading = read(source)
    assert len(reading.text) == len(reading.places)
    assert reading.places == sorted(set(reading.places))
    assert all(source[place] == kept or kept == "," for kept, place in zip(reading.text, reading.places, strict=True))
