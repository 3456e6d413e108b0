"""Questions made by rules from what users asked about."""

from dataclasses import replace

from trainer.improvement.drawing import FROM_A_DOCUMENT, drawn
from trainer.improvement.examples import Example, Shown

TEXT = (
    "The default value of retries is 3. To clear the cache, run `store clear --all`. If the disk is full, the server "
    "stops taking documents. The queue holds 500 messages because older ones are written to the log. Use `store list` "
    "to see what is kept. A lease is the time that a worker may keep a message. The port must be open to the workers."
)
SHOWN = [
    Example(f"fb_{number}", "How many?", (Shown(f"{number}.md", f"Guide {number}", "", TEXT),), 0, 33, 34, "correction")
    for number in range(4)
]


def test_each_stands_in_a_passage_of_its_document():
    made = drawn(SHOWN, [], most=100)
    assert made
    assert {one.document for one in made} <= {one.document for one in SHOWN}
    assert all(one.answer and one.answer in one.passages[0].text and one.origin == "document" for one in made)


def test_no_more_than_asked_for_and_not_all_from_one_document():
    assert len(drawn(SHOWN, [], most=3)) == 3
    assert len(drawn(SHOWN[:1], [], most=100)) <= FROM_A_DOCUMENT


def test_again_they_are_the_same():
    assert drawn(SHOWN, [], most=10) == drawn(SHOWN, [], most=10)


def test_none_gives_away_what_is_held_out():
    every = drawn(SHOWN, [], most=100)
    told, asked = every[0], every[-1]
    held_out = [told, replace(asked, gold=None)]
    left = drawn(SHOWN, held_out, most=100)
    assert all((one.document, one.answer) != (told.document, told.answer) for one in left)
    assert asked.question not in {one.question for one in left}


def test_documents_that_say_nothing_of_the_kind_give_none():
    assert drawn([replace(SHOWN[0], passages=(Shown("a.md", "A", "", "Short."),))], [], most=10) == []
