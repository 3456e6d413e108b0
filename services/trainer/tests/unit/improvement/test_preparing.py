"""What is learnt from, and what is kept apart."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opskit.contracts.reader import Passage
from trainer.feedback import KeptVote
from trainer.improvement.examples import Example, Shown, read_examples, write_examples
from trainer.improvement.preparing import Rules, bare, examples_of, short_of, split

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RULES = Rules()


@pytest.fixture
def vote(make_vote):
    def make(number=0, rating="down", correction="120 seconds", *, key_id="key_1", minutes=0, **answer):
        answer.setdefault("question", f"How long is interval {number}?")
        answer.setdefault("passages", [Passage(number=1, document="guide.md", title="Guide",
                                               text=f"The interval is 120 seconds. Number {number}.")])  # fmt: skip
        made = make_vote(rating, key_id=key_id, correction=correction, answer_id=f"ans_{number}", **answer)
        at = NOON + timedelta(minutes=minutes)
        return KeptVote(f"fb_{number}_{key_id}", made, at, at)

    return make


class TestWhatIsLearntFrom:
    def test_a_correction_is_what_it_says_where_it_stands(self, vote):
        (example,), account = examples_of([vote(correction="No: 120 seconds")], RULES)
        assert example.answer == "120 seconds"
        assert example.origin == "correction"
        assert account.votes == 1

    def test_an_accepted_answer_is_what_it_said_before_it_quoted(self, vote):
        answer = 'It is 120 seconds. "The interval is 120 seconds." [1]'
        (example,), _ = examples_of([vote(rating="up", correction=None, answer=answer)], RULES)
        assert (example.answer, example.origin) == ("120 seconds", "accepted")

    def test_an_accepted_refusal_has_no_answer(self, vote):
        (example,), _ = examples_of([vote(rating="up", correction=None, abstained=True)], RULES)
        assert example.gold is None
        assert example.answer == ""

    def test_personal_data_does_not_come_along(self, vote):
        (example,), account = examples_of([vote(question="I am a@b.de, how long?")], RULES)
        assert example.question == "I am [email], how long?"
        assert account.personal_data == {"email": 1}

    def test_who_voted_is_an_opaque_name(self, vote):
        (example,), _ = examples_of([vote()], RULES)
        assert "key_1" not in example.voter
        assert "acme" not in example.voter

    def test_what_the_reader_was_not_shown_is_searched_for(self, vote):
        later = (Shown("other.md", "Other", "", "The interval is nine weeks."),)
        (example,), _ = examples_of([vote(correction="nine weeks")], RULES, found=lambda _: later)
        assert (example.answer, example.document) == ("nine weeks", "other.md")


class TestWhatIsDropped:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"correction": "nine weeks"}, "the correction stands in no passage"),
            ({"correction": None}, "a down vote without a correction"),
            ({"passages": [], "rating": "up", "correction": None}, "nothing was shown to the reader"),
            ({"rating": "up", "correction": None, "answer": "Never. [1]"}, "the accepted answer stands in no passage"),
        ],
    )
    def test_it_is_counted_under_its_reason(self, vote, changes, reason):
        found, account = examples_of([vote(**changes)], RULES)
        assert found == []
        assert account.dropped == {reason: 1}

    def test_one_voter_cannot_fill_the_data(self, vote):
        found, account = examples_of([vote(number) for number in range(60)], RULES)
        assert len(found) == RULES.most_of_a_voter
        assert account.dropped == {"more than 50 of one voter": 10}

    def test_of_one_voter_the_newest_count(self, vote):
        votes = [vote(number, minutes=number) for number in range(60)]
        found, _ = examples_of(votes, RULES)
        assert {example.id for example in found} == {f"fb_{number}_key_1" for number in range(10, 60)}

    def test_most_voters_are_right(self, vote):
        text = "The interval is 120 seconds, and the timeout is 9 seconds."
        passages = [Passage(number=1, document="guide.md", title="Guide", text=text)]
        votes = [vote(0, key_id=f"key_{n}", correction="120 seconds", passages=passages) for n in range(2)]
        votes.append(vote(0, key_id="key_x", correction="9 seconds", passages=passages))
        (example,), account = examples_of(votes, RULES)
        assert example.answer == "120 seconds"
        assert account.dropped == {"outvoted": 1, "the same again": 1}

    def test_where_voters_are_evenly_at_odds_nothing_is_learnt(self, vote):
        text = "The interval is 120 seconds, and the timeout is 9 seconds."
        passages = [Passage(number=1, document="guide.md", title="Guide", text=text)]
        votes = [vote(0, key_id="a", correction="120 seconds", passages=passages),
                 vote(0, key_id="b", correction="9 seconds", passages=passages)]  # fmt: skip
        found, account = examples_of(votes, RULES)
        assert found == []
        assert account.dropped == {"voters contradict each other": 2}

    def test_nothing_is_lost_from_the_account(self, vote):
        votes = [vote(n, correction=said) for n, said in enumerate(["120 seconds", None, "120 seconds", "weeks"])]
        found, account = examples_of([*votes, votes[0]], RULES)
        assert len(found) + sum(account.dropped.values()) == account.votes == 5


def example(number: int, question: str, answer: str = "", document: str = "d.md") -> Example:
    text = f"It says {answer}." if answer else "Nothing."
    start = text.index(answer) if answer else -1
    end = start + len(answer) if answer else -1
    shown = (Shown(document, "D", "", text),)
    return Example(f"ex_{number}", question, shown, 0 if answer else None, start, end, "correction", "v")


words = st.lists(st.sampled_from("red green blue seven nine".split()), min_size=1, max_size=3).map(" ".join)
examples = st.lists(
    st.builds(example, st.integers(0, 99), words, words, st.sampled_from(["a.md", "b.md"])), max_size=40
)


class TestTheSplit:
    @given(examples)
    def test_no_question_and_no_fact_is_on_both_sides(self, given_examples):
        parts = split(given_examples, RULES)
        assert {bare(one.question) for one in parts.train}.isdisjoint(bare(one.question) for one in parts.held_out)
        facts = [{(one.document, bare(one.answer)) for one in part} for part in (parts.train, parts.held_out)]
        assert facts[0].isdisjoint(facts[1])

    @given(examples)
    def test_nothing_is_lost_but_leaks(self, given_examples):
        parts = split(given_examples, RULES)
        assert len(parts.train) + len(parts.held_out) + parts.leaks == len(given_examples)

    @given(examples, st.randoms())
    def test_an_example_goes_the_same_way_whatever_comes_with_it(self, given_examples, random):
        some = random.sample(given_examples, len(given_examples) // 2)
        assert set(split(some, RULES).held_out) == set(split(given_examples, RULES).held_out) & set(some)

    def test_about_the_share_is_held_out(self):
        many = [example(number, f"q {number}", f"a {number}") for number in range(1000)]
        assert len(split(many, RULES).held_out) == pytest.approx(300, abs=50)


def test_examples_survive_being_written(tmp_path):
    kept = [example(1, "Wie groß?", "grün"), example(2, "none")]
    write_examples(tmp_path / "x.jsonl", kept)
    assert list(read_examples(tmp_path / "x.jsonl")) == kept


@pytest.mark.parametrize(
    ("answer", "short"),
    [
        ('v1.8.0. "Support was dropped with v1.8.0." [1]', "v1.8.0."),
        ("Two minutes [1].", "Two minutes."),
        ('"The interval is 120 seconds." [1]', "The interval is 120 seconds."),
    ],
)
def test_an_answer_says_something_before_it_quotes(answer, short):
    assert short_of(answer) == short
