"""The data of a run as a page."""

from collections import Counter

from trainer.improvement.examples import Example, Shown
from trainer.improvement.preparing import Account, Split
from trainer.steps.data_report import write_report


def test_it_says_where_every_vote_went_and_shows_no_markup_of_others(tmp_path):
    shown = (Shown("<b>guide</b>.md", "Guide", "", "The interval is 120 seconds."),)
    example = Example("fb_1", "How long?", shown, 0, 16, 27, "correction")
    account = Account(3, Counter(correction=1), Counter({"a down vote without a correction": 2}), Counter(email=1))
    write_report(tmp_path / "report.html", account, Split((example,), (), 0))
    page = (tmp_path / "report.html").read_text()
    assert "Of 3 votes 1 became examples: 1 to learn from, 0 to measure on." in page
    assert "<td>a down vote without a correction</td><td>2</td>" in page
    assert "&lt;b&gt;guide&lt;/b&gt;.md" in page
    assert page.count("data:image/png;base64,") == 2
