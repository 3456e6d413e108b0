"""Other people's text, made safe to show."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ui.safe_text import highlighted, label, locate, reflowed, safe_markdown, window


class TestMarkdown:
    @pytest.mark.parametrize(
        "text",
        ["![a](http://evil.invalid/a.png)", "\\![a](http://evil.invalid/a.png)", "![a][ref]", "[![a](x)](y)"],
    )
    def test_no_image_is_ever_loaded(self, text):
        assert "![" not in safe_markdown(text)

    def test_html_is_shown_and_not_run(self):
        assert safe_markdown("<img src=x onerror=alert(1)>") == "&lt;img src=x onerror=alert(1)>"

    def test_dollars_are_money_and_not_formulas(self):
        assert "$" not in safe_markdown("from $5 to $10, in $HOME")

    def test_streamlits_own_directives_stay_words(self):
        shown = safe_markdown("see :red[this], :material/delete: and a:100:b")
        assert ":red[" not in shown
        assert ":material/" not in shown
        assert ":100:" not in shown

    @pytest.mark.parametrize(
        "code",
        [
            "```sh\necho $HOME <file> ![x](y) [1] :red[x]\n```",
            "~~~\n$A <b>\n~~~",
            "`$HOME <x>`",
            "``a ` $b``",
            "```\n$unfinished <while> streaming",
        ],
    )
    def test_code_is_left_as_it_is(self, code):
        assert safe_markdown(f"Before $\n\n{code}").endswith(code)

    def test_markers_of_sources_become_badges_and_other_brackets_do_not(self):
        shown = safe_markdown("so it is [1]: see list[1], [2](x) and [3].", citations=frozenset({1, 2}))
        assert shown == "so it is :primary-badge[1]: see list[1], [2](x) and [3]."

    def test_a_marker_after_a_block_of_code_is_a_badge_though_it_begins_a_line(self):
        shown = safe_markdown("Run\n```\nls\n```\n\n[1]", citations=frozenset({1}))
        assert shown.endswith("```\n\n:primary-badge[1]")
        assert safe_markdown("\n[1] Smith 2020", citations=frozenset({1})) == "\n[1] Smith 2020"

    def test_a_heading_in_an_answer_is_not_a_heading_of_the_page(self):
        assert safe_markdown("# Install\nrun it") == "**Install**\nrun it"

    @given(st.text())
    def test_whatever_comes_no_image_and_no_tag_is_left_outside_code(self, text):
        shown = safe_markdown(text.replace("`", "").replace("~", ""))
        assert "![" not in shown
        assert "<" not in shown


class TestLabel:
    def test_a_name_is_shown_letter_by_letter(self):
        assert label("**a** [x](y) $z$ :red[q]") == "\\*\\*a\\*\\* \\[x\\]\\(y\\) \\$z\\$ :\u2060red\\[q\\]"

    @pytest.mark.parametrize(
        "address", ["https://evil.invalid/x", "HTTP://evil.invalid", "www.evil.invalid", "a@evil.invalid"]
    )
    def test_an_address_is_shown_and_is_no_link(self, address):
        shown = label(f"See {address} for more.")
        assert address not in shown
        assert address in shown.replace("\u2060", "").replace("\\", "")


class TestHighlight:
    def test_marks_the_quote_and_escapes_all_the_rest(self):
        assert highlighted("<b>a</b> & so it is.", "so it is") == "&lt;b&gt;a&lt;/b&gt; &amp; <mark>so it is</mark>."

    def test_finds_a_quote_whose_lines_break_elsewhere(self):
        text = "It may take\n  up to two hours."
        assert highlighted(text, "take up to") == "It may <mark>take\n  up to</mark> two hours."

    def test_a_quote_that_is_not_there_marks_nothing(self):
        assert highlighted("text", "other") == "text"
        assert locate("text", "  ") is None

    @given(st.text(), st.text())
    def test_only_our_own_marks_are_html(self, text, quote):
        shown = highlighted(text, quote)
        bare = shown.replace("<mark>", "", 1).replace("</mark>", "", 1)
        assert "<" not in bare
        assert html.unescape(bare) == html.unescape(html.escape(text))


class TestWindow:
    def test_a_long_document_is_cut_around_the_quote(self):
        text = "a" * 500 + "QUOTE" + "b" * 500
        shown, before, after = window(text, "QUOTE", size=100)
        assert "QUOTE" in shown
        assert (len(shown), before, after) == (100, True, True)

    def test_a_short_one_is_shown_whole(self):
        assert window("short", "x", size=100) == ("short", False, False)

    def test_the_beginning_is_shown_when_there_is_no_quote(self):
        assert window("ab" * 100, "", size=10) == ("ababababab", False, True)


class TestReflow:
    LINE = "A line that is long enough to have been wrapped by somebody's editor,"

    def test_soft_line_breaks_go(self):
        assert reflowed(f"{self.LINE}\nand goes on.") == f"{self.LINE} and goes on."

    @pytest.mark.parametrize("after", ["- item", "1. item", "", "  indented", "| cell |", "# Heading", "```"])
    def test_breaks_that_mean_something_stay(self, after):
        assert reflowed(f"{self.LINE}\n{after}") == f"{self.LINE}\n{after}"

    def test_code_keeps_its_lines(self):
        code = f"```\n{self.LINE}\n{self.LINE}\n```"
        assert reflowed(code) == code

    @given(st.text())
    def test_only_white_space_changes(self, text):
        assert reflowed(text).split() == text.split()
