"""Checking a model's words as they come: citations verified, missing ones added, what nothing supports marked.

Words go on as soon as they are here. The model's own citations are held until their sentence is whole; then it is
checked against the passages, and what holds is said right behind it. So no citation is ever said that was not checked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from grounding.abstentions import abstains
from grounding.evidence import Evidence, Support, claims, support
from grounding.marks import MARK, cited, settled, without_marks

UNSUPPORTED = "[unsupported]"
"""Said behind a sentence that no passage supports."""

_END = re.compile(rf"(?:[.!?…]+[\"'”’)*_`]*(?=\s|[\[【]|\Z)|(?<=\S)(?=[ \t]*\n))(?:[ \t]*{MARK})*\.?", re.I)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|incl|max|min|Mr|Mrs|Ms|Dr|No|Fig)|(?:^|\n)[\s>*_]*\d{1,3}|\b[A-Z])\.$"
)
_FENCE = re.compile(r"\s*(```+|~~~+)")
_LIST_MARK = re.compile(r"^(?:[-*+•]|\d{1,3}[.)])\s+")


@dataclass(frozen=True)
class Grounded:
    """An answer with what it rests on. `short` is its first supported sentence. `confidence`, 0..1, is the share of
    its claims that something supports; of an abstention, the share that nothing does."""

    answer: str
    short: str
    supports: tuple[Support, ...]
    abstained: bool
    confidence: float


@dataclass
class Annotator:
    """Takes a model's words piece by piece and gives back what may be said."""

    question: str
    evidence: Sequence[Evidence]
    abstention: str
    _raw: str = ""
    """The sentence that is not whole yet, as the model wrote it, and how much of it was said."""
    _given: int = 0
    _said: str = ""
    _supports: list[Support] = field(default_factory=list)
    _short: str = ""
    _claims: int = 0
    _declined: bool = False

    def feed(self, piece: str) -> str:
        """What can be said now that this piece is here."""
        self._raw += piece
        return self._remember(self._whole_sentences(last=False) + self._given_to(settled(self._raw)))

    def finish(self) -> tuple[str, Grounded]:
        """What is left to be said, and the answer as a whole."""
        rest = self._remember(self._whole_sentences(last=True))
        if not self._supports and not self._declined:  # there is nothing to it: it is taken back
            rest += self._remember(f"\n\n{self.abstention}" if self._said.strip() else self.abstention)
        held = len(self._supports) / (self._claims or 1)
        supports = tuple(dict.fromkeys(self._supports))
        confidence = min(1.0, held) if supports else 1.0
        return rest, Grounded(self._said, self._short, supports, not supports, confidence)

    def _whole_sentences(self, *, last: bool) -> str:
        out = ""
        while (end := _end_of_sentence(self._raw, last=last)) is not None:
            out += self._given_to(end) + self._judged(self._raw[:end])
            self._raw, self._given = self._raw[end:], 0
        return out

    def _given_to(self, end: int) -> str:
        """The words up to `end` that were not said yet, without the model's citations."""
        if end <= self._given:
            return ""
        words, self._given = self._raw[self._given : end], end
        return without_marks(words)

    def _remember(self, text: str) -> str:
        self._said += text
        return text

    def _judged(self, sentence: str) -> str:
        """What is said behind a whole sentence."""
        plain = _LIST_MARK.sub("", without_marks(sentence).strip())
        if not plain:
            return ""
        if abstains(plain, self.abstention):
            self._declined = True
            return ""
        claimed = claims(plain)
        self._claims += claimed
        found = self._found(plain, cited(sentence))
        if not found:
            return self._behind(plain, UNSUPPORTED) if claimed else ""
        self._supports += found
        self._short = self._short or plain
        return self._behind(plain, "".join(f"[{number}]" for number in dict.fromkeys(one.passage for one in found)))

    def _found(self, plain: str, numbers: Sequence[int]) -> list[Support]:
        """Support in the passages that the model cited; where there is none, in any."""
        by_number = {one.number: one for one in self.evidence}
        pools = [[by_number[number]] for number in numbers if number in by_number]
        found = [one for pool in pools if (one := support(plain, self.question, pool)) is not None]
        if found or not (pools or claims(plain)):
            return found
        elsewhere = support(plain, self.question, self.evidence)
        return [elsewhere] if elsewhere else []

    @staticmethod
    def _behind(plain: str, mark: str) -> str:
        return f"\n{mark}" if _FENCE.match(plain) else f" {mark}"


def _end_of_sentence(text: str, *, last: bool) -> int | None:
    """Where the first sentence of a text ends, its citations included; None when that cannot be told yet."""
    if fence := _FENCE.match(text):
        closing = re.compile(rf"\n[ \t]*{fence.group(1)}[ \t]*(?=\n|\Z)").search(text, fence.end())
        if closing and (last or text[closing.end() :]):
            return closing.end()
        return len(text) if last and text.strip() else None
    for match in _END.finditer(text):
        if not text[: match.end()].strip() or _ABBREVIATION.search(without_marks(text[: match.end()]).rstrip()):
            continue
        rest = text[match.end() :]
        following = rest.lstrip(" \t")
        if last or (following and following[0] not in "[【") or (rest and settled(rest) > 0):
            return match.end()
        return None
    return len(text) if last and text.strip() else None
