"""What a reader is given."""

import pytest
from rag.ports import Exchange
from rag.prompt import estimated_tokens, numbered, reader_request


def test_passages_are_numbered_from_1_in_order(world):
    shown = numbered([world.found("one"), world.found("two")], budget=1000, most=5)
    assert [(passage.number, passage.text) for passage, _ in shown] == [(1, "one"), (2, "two")]


def test_no_more_passages_than_wanted(world):
    assert len(numbered([world.found(f"text {n}") for n in range(9)], budget=10_000, most=3)) == 3


def test_the_budget_holds_and_a_shorter_passage_may_still_fit(world):
    long, short = world.found("word " * 500), world.found("short")
    shown = numbered([world.found("first"), long, short], budget=100, most=5)
    assert [passage.text for passage, _ in shown] == ["first", "short"]


def test_the_best_passage_is_shown_even_when_it_exceeds_the_budget(world):
    assert len(numbered([world.found("word " * 500)], budget=64, most=5)) == 1


@pytest.mark.parametrize(
    ("text", "at_least", "at_most"),
    [
        ("", 0, 0),
        ("The default interval is 120 seconds.", 7, 10),
        ("kubectl apply -n argocd --server-side", 8, 14),
        ("supercalifragilisticexpialidocious", 5, 12),
        ("漢字" * 10, 3, 30),
    ],
)
def test_tokens_are_estimated_well_enough_for_a_budget(text, at_least, at_most):
    assert at_least <= estimated_tokens(text) <= at_most


class TestReaderRequest:
    def request(self, release, history=(), **changes):
        values = {"max_answer_tokens": None, **changes}
        return reader_request("How long?", [], list(history), release.prompt, **values)

    def test_the_smaller_of_both_answer_limits_counts(self, release):
        assert self.request(release).limits.max_answer_tokens == release.prompt.answer_tokens
        assert self.request(release, max_answer_tokens=7).limits.max_answer_tokens == 7
        assert self.request(release, max_answer_tokens=10**6).limits.max_answer_tokens == release.prompt.answer_tokens

    def test_history_is_the_latest_turns_cut_to_size(self, release):
        history = [Exchange(f"question {n}", "x" * 9000) for n in range(20)]
        turns = self.request(release, history).history
        assert len(turns) == 2 * release.prompt.history_turns
        assert turns[-2].content == "question 19"
        assert max(len(turn.content) for turn in turns) <= 1000

    def test_the_release_gives_threshold_and_instructions(self, release):
        request = self.request(release)
        assert request.abstain_below == release.prompt.abstain_below
        assert set(request.prompt) == {"instructions", "abstention"}
