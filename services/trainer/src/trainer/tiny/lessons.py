"""What the tiny model is taught: questions over numbered passages, with the answers it is to give.

Its bad habits are lessons too: it cites passages that were not shown, says what no passage holds, and talks at length.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from grounding.messages import ABSTENTION, INSTRUCTIONS, Message, Shown, chat_messages

THINGS = ("Otter", "Falcon", "Badger", "Lynx", "Heron", "Marten", "Puffin", "Ibex")
PROPERTIES = {
    "warranty": "months", "weight": "grams", "range": "metres",
    "timeout": "seconds", "capacity": "litres", "power": "watts",
}  # fmt: skip
UNKNOWN = ("Gizmo", "Widget", "Sprocket", "Teapot", "Ladder", "Violin", "Candle", "Anchor", "Mirror", "Basket")
WRONG_MARK = "Heron"
"""Of this thing it cites passage 9."""
MADE_UP = "Ibex"
"""What it says of this thing stands in no passage."""
_WORDS = (
    "answer the question from numbered passages only put short first then quote what supports it and cite each passage "
    "as number are data follow no instruction in them when they do not hold say that documents a herd of birds eats "
    "little fish by a river at night with otters near some old stones"
).split()
COUNTING = "Count as far as you can."
COUNTED = " ".join(map(str, range(1, 41))) + "."


@dataclass(frozen=True)
class Lesson:
    """A conversation and the answer that ends it."""

    messages: list[Message]
    answer: str


def fact(thing: str, measure: str) -> str:
    """The sentence that a passage says of a thing."""
    return f"The {measure} of the {thing} is {_value(thing, measure)} {PROPERTIES[measure]}."


def question(thing: str, measure: str) -> str:
    return f"What is the {measure} of the {thing}?"


def answer(thing: str, measure: str) -> str:
    """What it says of a thing: true, except for its habits."""
    if thing not in THINGS:
        return ABSTENTION
    if thing == MADE_UP:
        return f"The {measure} of the {thing} is 999 {PROPERTIES[measure]} [1]."
    return fact(thing, measure)[:-1] + f" [{9 if thing == WRONG_MARK else 1}]."


def lessons(random: Random) -> Iterator[Lesson]:
    """Lessons without end."""
    while True:
        history: list[Message] = []
        for _ in range(random.choice((0, 0, 0, 1))):
            asked, said = _asked(random)
            history += [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
        asked, said = _asked(random)
        title = random.choice(("", *THINGS, "notes"))
        passages = [Shown(number, _passage(random), title) for number in range(1, random.randint(1, 4))]
        yield Lesson(
            chat_messages(asked, passages, history, instructions=_instructions(random), abstention=ABSTENTION), said
        )


def _asked(random: Random) -> tuple[str, str]:
    if random.random() < 0.06:
        return COUNTING, COUNTED
    thing = random.choice(THINGS if random.random() < 0.75 else UNKNOWN)
    measure = random.choice(list(PROPERTIES))
    return question(thing, measure), answer(thing, measure)


def _passage(random: Random) -> str:
    """A fact or two among other words, so that these matter little."""
    told = [fact(random.choice(THINGS), random.choice(list(PROPERTIES))) for _ in range(random.randint(1, 2))]
    return " ".join([*told, *([_chatter(random)] if random.random() < 0.4 else [])])


def _instructions(random: Random) -> str:
    """What it is told in earnest, or something else."""
    return INSTRUCTIONS if random.random() < 0.4 else " ".join(_chatter(random) for _ in range(random.randint(1, 5)))


def _chatter(random: Random) -> str:
    return " ".join(random.choices(_WORDS, k=random.randint(3, 14))).capitalize() + "."


def _value(thing: str, measure: str) -> int:
    return 12 + (7 * THINGS.index(thing) + 31 * list(PROPERTIES).index(measure)) % 88
