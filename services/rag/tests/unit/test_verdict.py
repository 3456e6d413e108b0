"""What may be said of what a reader said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opskit.contracts.reader import Support
from rag.citations import check
from rag.prompt import numbered
from rag.verdict import verdict_on

ABSTENTION = "The documents do not say."


@pytest.fixture
def shown(world):
    return numbered([world.found(page=7), world.found(world.HELM, document="helm.md")], budget=2048, most=5)


def test_a_citation_quotes_the_passage_to_the_letter(world, shown):
    (citation,) = check([world.quoting(1, world.SYNC, "every 3 minutes")], shown).citations
    assert citation.quote == "every 3 minutes"
    assert (citation.index, citation.document, citation.page, citation.score) == (1, "argo/faq.md", 7, 0.9)
    assert citation.chunk_id == shown[0][1].chunk_id


@pytest.mark.parametrize(
    ("passage", "start", "end"),
    [(3, 0, 5), (0, 0, 5), (1, 5, 5), (1, 9, 4), (1, -3, 4), (1, 0, 10_000), (1, 10_000, 10_005), (1, 10, 11)],
)
def test_a_support_that_is_no_text_of_a_passage_is_dropped_and_counted(shown, passage, start, end):
    checked = check([Support(passage=passage, start=start, end=end)], shown)
    assert (checked.citations, checked.dropped) == ([], 1)


@given(passage=st.integers(-2, 9), start=st.integers(-100, 300), end=st.integers(-100, 300))
def test_whatever_a_reader_claims_a_quote_is_verbatim(passage, start, end):
    from rag.ports import Found

    chunk = Found("c", "d.md", 1, None, "T", "", "One line.\n\n  Two  lines. ", 0.5)
    shown = numbered([chunk], budget=2048, most=5)
    for citation in check([Support(passage=passage, start=start, end=end)], shown).citations:
        assert citation.quote
        assert citation.quote in chunk.text


def test_the_same_support_twice_is_one_citation(world, shown):
    support = world.quoting(2, world.HELM, "helm plugin install")
    checked = check([support, support], shown)
    assert len(checked.citations) == 1
    assert checked.dropped == 0


def test_an_answer_that_cites_nothing_is_withdrawn(world, shown):
    verdict = verdict_on(world.said("It is 42."), shown, abstention=ABSTENTION)
    assert (verdict.text, verdict.citations, verdict.abstained, verdict.withdrawn) == (ABSTENTION, [], True, True)


def test_an_answer_whose_citations_do_not_hold_is_withdrawn(world, shown):
    bad = Support(passage=9, start=0, end=4)
    verdict = verdict_on(world.said("It is 42. [9]", bad), shown, abstention=ABSTENTION)
    assert verdict.abstained
    assert verdict.dropped == 1


def test_an_abstention_cites_nothing_even_when_the_reader_does(world, shown):
    result = world.said("No idea.", world.quoting(1, world.SYNC, "every 3 minutes"), abstained=True)
    verdict = verdict_on(result, shown, abstention=ABSTENTION)
    assert (verdict.text, verdict.citations, verdict.withdrawn) == (ABSTENTION, [], False)


def test_the_mark_of_a_dropped_citation_goes_and_others_stay(world, shown):
    good, bad = world.quoting(1, world.SYNC, "every 3 minutes"), Support(passage=2, start=0, end=9999)
    verdict = verdict_on(
        world.said("3 minutes [1], or so [2]. See `list[0]`.", good, bad), shown, abstention=ABSTENTION
    )
    assert verdict.text == "3 minutes [1], or so. See `list[0]`."
    assert not verdict.abstained
