"""What is learnt again with every tuning."""

import re

from trainer.gold import gold_questions
from trainer.replay import caution_questions, general_texts, replay_examples

FAR_APART = 7
"""Words in a row that the two sets never share."""


def runs_of_words(texts: list[str]) -> set[tuple[str, ...]]:
    found = set()
    for text in texts:
        words = re.findall(r"\w+", text.lower())
        found |= {tuple(words[at : at + FAR_APART]) for at in range(len(words) - FAR_APART + 1)}
    return found


def test_every_answer_stands_in_its_passage_and_in_no_other_one_shown():
    for example in replay_examples():
        if example.gold is not None:
            others = [one.text for number, one in enumerate(example.passages) if number != example.gold]
            assert example.answer, example.id
            assert not any(example.answer.lower() in text.lower() for text in others), example.id


def test_a_good_part_has_no_answer():
    examples = replay_examples()
    assert 0.2 < sum(one.gold is None for one in examples) / len(examples) < 0.4


def test_no_question_is_asked_twice():
    asked = [one.question.lower() for one in replay_examples()]
    assert len(asked) == len(set(asked))


def test_nothing_of_the_gold_set_is_learnt():
    gold = gold_questions()
    measured = [one.question for one in gold] + [passage.text for one in gold for passage in one.passages]
    assert not runs_of_words(measured) & runs_of_words(general_texts())


def test_what_caution_is_measured_on_is_not_learnt():
    learnt = {one.question for one in replay_examples()}
    measured = caution_questions()
    assert not learnt & {one.question for one in measured}
    assert 0.2 < sum(not one.answers for one in measured) / len(measured) < 0.4
