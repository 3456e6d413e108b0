"""The structure of passages."""

import pytest
from grounding.blocks import Block, Kind, block_at, blocks
from hypothesis import given
from hypothesis import strategies as st


def shapes(text: str) -> list[tuple[str, str]]:
    return [(block.kind.value, text[block.body : block.body_end]) for block in blocks(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One line.\nStill the same.", [("paragraph", "One line.\nStill the same.")]),
        ("One.\n\nTwo.", [("paragraph", "One."), ("paragraph", "Two.")]),
        ("# Title\nWords.", [("heading", "# Title"), ("paragraph", "Words.")]),
        ("- one\n- two\n  goes on", [("item", "one"), ("item", "two\n  goes on")]),
        ("1. one\n2) two", [("item", "one"), ("item", "two")]),
        ("```sh\nhelm list\n```", [("code", "helm list")]),
        ("Run:\n\n    helm list\n    helm get\n\nDone.", [
            ("paragraph", "Run:"), ("code", "    helm list\n    helm get"), ("paragraph", "Done.")]),
        ("$ helm list\nNAME", [("code", "$ helm list"), ("paragraph", "NAME")]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", [("heading", "| a | b |"), ("row", "| 1 | 2 |")]),
        ("> Quoted.\n>\n> Again.", [("paragraph", "> Quoted."), ("paragraph", "> Again.")]),
        ("apiVersion: v1\nkind: Pod\nspec:\n  name: x", [("code", "apiVersion: v1\nkind: Pod\nspec:\n  name: x")]),
        ("Name: a thing that is described in a whole sentence of words.\nKind: another one that is described here.",
         [("paragraph", "Name: a thing that is described in a whole sentence of words.\n"
                        "Kind: another one that is described here.")]),
        ("Words\n---\nmore", [("paragraph", "Words"), ("paragraph", "more")]),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_into_its_blocks(text: str, expected: list[tuple[str, str]]):
    assert shapes(text) == expected


def test_code_inside_a_list_keeps_its_indentation_and_does_not_end_the_list():
    text = "1. First:\n\n   ```yaml\n   a: 1\n   ```\n\n2. Second:\n\n       b: 2\n\n3. Third"
    found = blocks(text)
    assert [block.kind for block in found] == [Kind.ITEM, Kind.CODE, Kind.ITEM, Kind.CODE, Kind.ITEM]
    assert [block.indent for block in found if block.kind is Kind.CODE] == [3, 3]


def test_a_fence_that_the_passage_cuts_is_code_on_the_right_side():
    assert shapes("  replicas: 3\n```\n\nThen apply it.") == [
        ("code", "  replicas: 3"),
        ("paragraph", "Then apply it."),
    ]
    assert shapes("Apply this:\n\n```\nkind: Pod")[-1] == ("code", "kind: Pod")


def test_the_options_of_a_command_stand_for_themselves():
    text = "Options\n  -a, --all    all of them\n      --max int   at most so many"
    assert [kind for kind, _ in shapes(text)] == ["paragraph", "row", "row"]


def test_every_line_of_a_data_file_is_a_row():
    assert [block.kind for block in blocks("a,b\n1,2\n\n3,4", by_line=True)] == [Kind.ROW] * 3


def test_the_block_of_a_range_is_the_one_that_shares_most_of_it():
    text = "Short.\n\nA longer paragraph."
    found = blocks(text)
    assert block_at(found, 4, 14) is found[1]
    assert block_at(found, 6, 8) is None


@given(st.text(alphabet="ab1.:`#|>-*$ \n\t{}", max_size=120))
def test_blocks_of_any_text_lie_in_it_in_order(text: str):
    found = blocks(text)
    ends = 0
    for block in found:
        assert isinstance(block, Block)
        assert ends <= block.start <= block.body <= block.body_end <= len(text)
        assert block.body_end <= block.end <= len(text)
        ends = block.end
