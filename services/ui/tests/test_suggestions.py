"""First questions read off the documents."""

import pytest
from ui.suggestions import suggested_questions


@pytest.mark.parametrize(
    ("passage", "question"),
    [
        ("Install it. To install a plugin, run the command.", "How do I install a plugin?"),
        ("To show your badge to others, enable it.", "How do I show my badge to others?"),
        ("# Faq\n\n## Why is my app out of sync?\n\nBecause.", "Why is my app out of sync?"),
        ("Argo CD is a declarative tool.", "What is Argo CD?"),
        ("The API server is a program.", "What is the API server?"),
    ],
)
def test_a_passage_that_answers_a_question_suggests_it(passage, question):
    assert suggested_questions([passage]) == [question]


@pytest.mark.parametrize(
    "passage",
    [
        "Here is an example.",
        "This is the default.",
        "To do this, run it.",
        "To begin the process, wait.",
        "The jitter is the maximum.",
        "",
        "x" * 500,
    ],
)
def test_vague_beginnings_suggest_nothing(passage):
    assert suggested_questions([passage]) == []


def test_each_passage_gives_one_and_none_comes_twice():
    passages = [
        "To install a plugin, run it. Helm Chart is a package.",
        "To install a plugin, do.",
        "A block is a file.",
    ]
    assert suggested_questions(passages, limit=3) == ["How do I install a plugin?", "What is a block?"]


def test_no_more_than_asked_for():
    assert len(suggested_questions([f"To install plugin {n}, run it." for n in range(9)], limit=3)) == 3
