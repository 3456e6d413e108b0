"""The demonstration's questions are fair: answered by its documents, and never about what was taught."""

import json

import pytest

from demo.knowledge import DOCUMENTS, HERE, Question, exact_match, is_right, questions

EVERY = [one for split in ("users", "held_out", "general") for one in questions(split)]


@pytest.mark.parametrize("question", EVERY, ids=lambda one: one.id)
def test_every_answer_is_verbatim_text_of_its_document(question: Question) -> None:
    text = (DOCUMENTS / question.document).read_text(encoding="utf-8")
    assert question.answers
    assert all(answer in text for answer in question.answers)


def test_what_is_measured_is_never_taught() -> None:
    taught, measured = questions("users"), questions("held_out")
    assert {one.document for one in taught}.isdisjoint(one.document for one in measured)
    assert {one.question for one in taught}.isdisjoint(one.question for one in measured)


def test_the_edit_can_be_made_and_answers_a_question() -> None:
    changes = json.loads((HERE / "changes.json").read_text(encoding="utf-8"))
    edited, deleted = changes["edited"], changes["deleted"]
    text = (DOCUMENTS / edited["document"]).read_text(encoding="utf-8")
    assert text.count(edited["before"]) == 1
    assert edited["answer"] in edited["after"]
    assert edited["answer"] not in text
    assert (DOCUMENTS / deleted["document"]).exists()


def test_right_is_right_but_for_case_and_punctuation() -> None:
    assert is_right("The 14 Hours.", ["14 hours"])
    assert not is_right("14", ["14 hours"])
    assert exact_match([("a", ["a"]), ("b", ["c"])]) == 0.5
