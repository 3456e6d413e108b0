"""Examples as a language model is taught them: the very prompt that it answers when it serves, and the answer. Pure.

The answer is the sentence of the passage that says it, with its citation behind; it must pass the check of citations
that every answer goes through, or it is not taught.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from grounding.annotate import Annotator
from grounding.evidence import Evidence
from grounding.messages import Message, chat_messages
from grounding.messages import Shown as Numbered
from grounding.reading import read

from trainer.improvement.examples import Example, Shown
from trainer.improvement.material import BESIDE, OTHER_DIGITS, RIGHT_GONE
from trainer.improvement.wording import Wording

LONGEST_SAID = 420
"""Characters of a sentence that is said whole; of a longer piece of text only the answer itself is."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A prompt and the answer to give."""

    messages: list[Message]
    answer: str


@dataclass(frozen=True)
class Teaching:
    """Makes lessons that `fits` lets through. Of one that is too long wrong passages are left out; one that is too long
    without them is left out itself."""

    wording: Wording
    random: Random
    fits: Callable[[Lesson], bool] = lambda _: True

    def lessons(self, examples: Sequence[Example]) -> list[Lesson]:
        """One pass over the examples, in random order, with other wrong passages each time."""
        made = [lesson for example in examples for lesson in self._of(example)]
        self.random.shuffle(made)
        return made

    def _of(self, example: Example) -> list[Lesson]:
        if example.gold is None:
            return self._declined(example.question, example.passages)
        # Where the answer stands in another passage too, that one is not wrong.
        others = [one for number, one in enumerate(example.passages) if number != example.gold]
        wrong = [one for one in others if example.answer.lower() not in one.text.lower()]
        made = self._answered(example, wrong)
        if wrong and self.random.random() < RIGHT_GONE:
            made += self._declined(example.question, wrong)
        return made

    def _declined(self, question: str, passages: Sequence[Shown]) -> list[Lesson]:
        shown = self.random.sample(passages, min(1 + BESIDE, len(passages)))
        for kept in range(len(shown), 0, -1):
            if self.fits(lesson := self._lesson(question, shown[:kept], self.wording.abstention)):
                return [lesson]
        return []

    def _answered(self, example: Example, wrong: Sequence[Shown]) -> list[Lesson]:
        """The right passage at any place among wrong ones."""
        answer = taught(example, self.wording)
        if answer is None:
            return []
        right = example.passages[example.gold or 0]
        beside = self.random.sample(wrong, min(self.random.randint(0, BESIDE), len(wrong)))
        answer, (right, *beside) = self._with_other_digits(example.question, answer, [right, *beside])
        place = self.random.randint(0, len(beside))
        for kept in range(len(beside), -1, -1):
            before = min(place, kept)
            shown = [*beside[:before], right, *beside[before:kept]]
            if self.fits(lesson := self._lesson(example.question, shown, f"{answer} [{before + 1}]")):
                return [lesson]
        return []

    def _with_other_digits(self, question: str, answer: str, shown: Sequence[Shown]) -> tuple[str, list[Shown]]:
        """Half of the time, so that what a thing is called is learnt, and not its values, which an edit may change
        tomorrow; never where the question has digits itself."""
        if self.random.random() >= OTHER_DIGITS or any(character.isdigit() for character in question):
            return answer, list(shown)
        table = str.maketrans("123456789", "".join(self.random.sample("123456789", 9)))
        return answer.translate(table), [replace(one, text=one.text.translate(table)) for one in shown]

    def _lesson(self, question: str, shown: Sequence[Shown], answer: str) -> Lesson:
        """Without a history: a vote is kept with its question alone."""
        passages = [Numbered(number, one.text, one.title, one.heading) for number, one in enumerate(shown, start=1)]
        instructions, abstention = self.wording.instructions, self.wording.abstention
        return Lesson(chat_messages(question, passages, instructions=instructions, abstention=abstention), answer)


def taught(example: Example, wording: Wording) -> str | None:
    """What the model is to say: the sentence that holds the answer, or the bare answer where it stands in no sentence
    or in a long one; None where the check of citations would let neither through."""
    assert example.gold is not None, "there is nothing to say"
    text = example.passages[example.gold].text
    around = [
        text[place.start : place.end]
        for place in Evidence(1, text).places
        if place.start <= example.start and example.end <= place.end
    ]
    sentence = min(around, key=len, default=example.answer)
    wanted = [sentence] if len(sentence) <= LONGEST_SAID else []
    return next((said for one in (*wanted, example.answer) if _holds(said := _plain(one), example, wording)), None)


def _holds(answer: str, example: Example, wording: Wording) -> bool:
    shown = example.passages[example.gold or 0]
    annotator = Annotator(
        example.question, [Evidence(1, shown.text, f"{shown.title} {shown.heading}")], wording.abstention
    )
    annotator.feed(f"{answer} [1]")
    grounded = annotator.finish()[1]
    return not grounded.abstained and "[unsupported]" not in grounded.answer


def _plain(text: str) -> str:
    """Without markup, on one line: a line's end would end the sentence before its citation."""
    return " ".join(read(text).text.split())
