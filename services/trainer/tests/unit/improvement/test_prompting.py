"""What a language model is taught."""

from random import Random

import pytest
from grounding.messages import Shown as Numbered
from grounding.messages import chat_messages
from trainer.improvement import prompting
from trainer.improvement.examples import Example, Shown
from trainer.improvement.prompting import LONGEST_SAID, Teaching, taught
from trainer.improvement.wording import Wording

WORDING = Wording("Read the passages.", "They do not say.")
INTERVAL = "Backups run at night. The interval between two backups is 14 hours. Old ones are removed."
QUESTION = "What is the interval between two backups?"


def shown(text: str) -> Shown:
    return Shown("guide.md", "Guide", "Backups", text)


def example(answer: str, right: str, *wrong: str, question: str = QUESTION) -> Example:
    start = right.index(answer)
    passages = (shown(right), *map(shown, wrong))
    return Example("1", question, passages, 0, start, start + len(answer), "correction")


@pytest.fixture(autouse=True)
def true_digits(monkeypatch):
    monkeypatch.setattr(prompting, "OTHER_DIGITS", 0.0)


def lessons(one: Example, seed: int = 1, **more):
    return Teaching(WORDING, Random(seed), **more).lessons([one])


class TestTheAnswer:
    def test_is_the_sentence_of_the_passage_that_says_it(self):
        assert taught(example("14 hours", INTERVAL), WORDING) == "The interval between two backups is 14 hours."

    def test_is_without_markup_and_on_one_line(self):
        text = "The **interval** between\ntwo backups is [14 hours](#why)."
        assert taught(example("14 hours", text), WORDING) == "The interval between two backups is 14 hours."

    def test_is_the_bare_one_where_the_sentence_is_long(self):
        text = f"The interval between two backups is 14 hours{', or so' * LONGEST_SAID}."
        assert taught(example("14 hours", text), WORDING) == "14 hours"

    def test_is_not_taught_where_the_check_of_citations_would_mark_it(self):
        assert taught(example("14 hours", "# Every 14 hours\n"), WORDING) is None, "headings are not quoted"


class TestALesson:
    def test_asks_as_the_engine_asks_and_cites_the_passage_by_its_number(self):
        one = example("14 hours", INTERVAL, "Restores take long.", "Logs are kept.", "Disks are cheap.")
        for seed in range(20):
            for lesson in lessons(one, seed):
                texts = [part.text for part in one.passages if part.text in lesson.messages[1]["content"]]
                order = sorted(texts, key=lesson.messages[1]["content"].index)
                numbered = [Numbered(at, text, "Guide", "Backups") for at, text in enumerate(order, start=1)]
                wanted = chat_messages(QUESTION, numbered, instructions="Read the passages.",
                                       abstention="They do not say.")  # fmt: skip
                assert lesson.messages == wanted
                right = f"The interval between two backups is 14 hours. [{order.index(INTERVAL) + 1}]" \
                    if INTERVAL in order else "They do not say."  # fmt: skip
                assert lesson.answer == right

    def test_has_the_right_passage_at_any_place(self):
        one = example("14 hours", INTERVAL, "Restores take long.", "Logs are kept.", "Disks are cheap.")
        answers = {lesson.answer[-3:] for seed in range(60) for lesson in lessons(one, seed)}
        assert {"[1]", "[2]", "[3]", "[4]"} <= answers

    def test_is_also_given_without_what_answers_so_that_it_keeps_saying_no(self):
        one = example("14 hours", INTERVAL, "Restores take long.")
        declined = sum(lesson.answer == "They do not say." for seed in range(200) for lesson in lessons(one, seed))
        assert 20 <= declined <= 60

    def test_takes_no_passage_for_wrong_that_says_the_same(self):
        one = example("14 hours", INTERVAL, "It is 14 hours, we said.")
        assert all(len(lessons(one, seed)) == 1 for seed in range(40))

    def test_that_nothing_answers_is_to_be_declined(self):
        nothing = Example("1", "Who?", (shown("Disks are cheap."),), None, -1, -1, "accepted")
        (lesson,) = lessons(nothing)
        assert lesson.answer == "They do not say."

    def test_with_other_digits_has_them_in_passage_and_answer_alike(self, monkeypatch):
        monkeypatch.setattr(prompting, "OTHER_DIGITS", 1.0)
        values = set()
        for seed in range(10):
            (lesson,) = lessons(example("14 hours", INTERVAL), seed)
            value = lesson.answer.removeprefix("The interval between two backups is ").removesuffix(" hours. [1]")
            assert f"is {value} hours" in lesson.messages[1]["content"]
            values.add(value)
        assert len(values) > 5

    def test_that_is_too_long_loses_wrong_passages_and_never_the_right_one(self):
        one = example("14 hours", INTERVAL, *(f"Restores take long, said {name}." for name in ("Ann", "Bob", "Eve")))
        for seed in range(30):
            made = lessons(one, seed, fits=lambda lesson: lesson.messages[1]["content"].count("Guide") <= 2)
            assert made
            assert all(INTERVAL in one.messages[1]["content"] for one in made if "14 hours" in one.answer)

    def test_that_never_fits_is_left_out(self):
        assert lessons(example("14 hours", INTERVAL), fits=lambda _: False) == []
