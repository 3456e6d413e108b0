"""Examples as the extractive reader reads them: passages without markup, the right one first, wrong ones beside it."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from grounding.reading import read

from trainer.base.groups import Group
from trainer.improvement.examples import Example

BESIDE = 3
"""Wrong passages beside the right one at most: those that a search returned with it."""
BESIDE_REPLAYED = 2
"""A general question is read with fewer, to be quick."""
OTHER_DIGITS = 0.5
"""So often a group's numbers are replaced by others of the same length: what a thing is called is to be learnt, and not
its values, which an edit may change tomorrow."""
RIGHT_GONE = 0.2
"""An answered question also comes with wrong passages alone, so often: the reader must keep saying no."""


def groups_of(examples: Sequence[Example], random: Random) -> list[Group]:
    """One pass over the examples, in random order, with other wrong passages each time."""
    made = [group for example in examples for group in _of(example, random)]
    random.shuffle(made)
    return made


def _of(example: Example, random: Random) -> list[Group]:
    texts = [read(passage.text).text for passage in example.passages]
    wrong = [text for number, text in enumerate(texts) if number != example.gold]
    if example.gold is None:
        most = BESIDE_REPLAYED if example.origin == "replay" else 1 + BESIDE
        shown = tuple(random.sample(texts, min(most, len(texts))))
        return [Group(example.question, shown, -1, -1)] if shown else []
    found = _read_range(example)
    if found is None:
        return []
    # Where the answer stands in another passage too, that one is not wrong.
    answer = texts[example.gold][slice(*found)].lower()
    wrong = [text for text in wrong if answer not in text.lower()]
    most = BESIDE_REPLAYED if example.origin == "replay" else BESIDE
    beside = tuple(random.sample(wrong, min(random.randint(0, most), len(wrong))))
    made = [_with_other_digits(Group(example.question, (texts[example.gold], *beside), *found), random)]
    # General questions bring as many unanswerable ones as do good; more would teach to refuse.
    if wrong and example.origin != "replay" and random.random() < RIGHT_GONE:
        made.append(Group(example.question, tuple(random.sample(wrong, min(2, len(wrong)))), -1, -1))
    return made


def _with_other_digits(group: Group, random: Random) -> Group:
    """The group with every digit of its passages exchanged, the same for the same, where the question has none."""
    if random.random() >= OTHER_DIGITS or any(character.isdigit() for character in group.question):
        return group
    others = random.sample("123456789", 9)
    table = str.maketrans("123456789", "".join(others))
    return replace(group, passages=tuple(passage.translate(table) for passage in group.passages))


def _read_range(example: Example) -> tuple[int, int] | None:
    """The answer's range in the text that is read; None when none of it is read."""
    reading = read(example.passages[example.gold or 0].text)
    start, end = bisect_left(reading.places, example.start), bisect_left(reading.places, example.end)
    return (start, end) if start < end else None
