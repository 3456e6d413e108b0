"""Markdown: the text is the file, the blocks are its lines."""

from ingest.parsers.formats import parse


def parsed(text: str):
    return parse("notes/a-file_name.md", text.encode(), lambda: None)


def kinds(text: str) -> list[tuple[str, str]]:
    document = parsed(text)
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_headings_make_a_path():
    document = parsed("# One\n\na\n\n## Two\n\nb\n\n### Three\n\nc\n\n## Four\n\nd\n")
    paths = [block.path for block in document.blocks if block.kind == "paragraph"]
    assert paths == [("One",), ("One", "Two"), ("One", "Two", "Three"), ("One", "Four")]


def test_a_heading_is_named_without_its_marks():
    document = parsed("## The `--all` flag, see [docs](http://x) {#all}\n\ntext\n")
    assert document.blocks[0].path == ("The --all flag, see docs",)


def test_underlined_headings_count():
    assert parsed("Top\n===\n\ntext\n").blocks[-1].path == ("Top",)


def test_the_title_comes_from_front_matter_then_the_first_heading_then_the_file():
    assert parsed('---\ntitle: "From above"\n---\n# Heading\n\ntext\n').title == "From above"
    assert parsed("text\n\n# Heading\n").title == "Heading"
    assert parsed("just text\n").title == "a file name"


def test_front_matter_is_not_searched():
    assert kinds("---\ntitle: T\nweight: 7\n---\nbody\n") == [("paragraph", "body")]


def test_list_items_are_blocks_with_their_markers():
    found = kinds("Steps:\n\n1. First\n   more\n2. Second\n   - nested\n")
    assert found == [
        ("paragraph", "Steps:"),
        ("item", "1. First\n   more"),
        ("item", "2. Second"),
        ("item", "   - nested"),
    ]


def test_a_code_fence_is_one_block_even_with_a_heading_inside():
    fence = "```yaml\n# not a heading\n\na: 1\n```"
    assert kinds(f"Text:\n\n{fence}\n") == [("paragraph", "Text:"), ("code", fence)]


def test_table_rows_are_blocks_that_know_the_header():
    document = parsed("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n")
    rows = [(document.text[b.start : b.end], b.context) for b in document.blocks]
    assert rows == [("| a | b |\n|---|---|", ""), ("| 1 | 2 |", "| a | b |"), ("| 3 | 4 |", "| a | b |")]


def test_comments_and_rules_are_passed_by_but_link_definitions_are_kept():
    found = kinds("one\n\n<!-- a comment -->\n\n---\n\n[ref]: https://example.org/x\n\ntwo\n")
    assert found == [("paragraph", "one"), ("paragraph", "[ref]: https://example.org/x"), ("paragraph", "two")]


def test_line_ends_of_windows_are_read():
    assert parsed("# T\r\n\r\none\r\ntwo\r\n").text == "# T\n\none\ntwo\n"


def test_a_heading_without_words_names_nothing():
    assert parsed("#\n\nIt begins without a name.\n\n## Scope\n\nAll of it.\n").title == "Scope"
    assert parsed("#\n\nNever a name.\n").title == "a file name"
