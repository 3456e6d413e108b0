"""Question sets in the shape of SQuAD, and its measures (Rajpurkar et al. 2016, 2018)."""

import json
import lzma
import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.base.rows import UnreadableData

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its passage and the answers that people gave; none when the passage holds none."""

    question: str
    passage: str
    answers: tuple[str, ...]


def read_set(path: Path) -> list[Asked]:
    """The questions of a set: a list of passages (`ctx`) with questions (`qas`: `q` and the answers `a`).

    Raises:
        UnreadableData: the file is of another shape.
    """
    opened = lzma.open if path.suffix == ".xz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            return [
                Asked(one["q"], passage["ctx"], tuple(_text(answer) for answer in one["a"]))
                for passage in json.load(file)
                for one in passage["qas"]
            ]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableData(f"{path} is no set of passages with ctx and qas ({error!r})") from None


def exact_match(said: str, answers: Sequence[str]) -> float:
    """1 when one of the answers is said, but for case, punctuation and articles; nothing is right where none is."""
    return max((float(_bare(said) == _bare(answer)) for answer in answers), default=float(not said))


def f1(said: str, answers: Sequence[str]) -> float:
    """The best overlap of words with one of the answers, 0 to 1."""
    return max((_overlap(_bare(said).split(), _bare(answer).split()) for answer in answers), default=float(not said))


def _text(answer: object) -> str:
    """An answer stands alone, or with its place."""
    return str(answer[0] if isinstance(answer, list) else answer)


def _overlap(said: list[str], wanted: list[str]) -> float:
    if not said or not wanted:
        return float(said == wanted)
    same = sum((Counter(said) & Counter(wanted)).values())
    return 2 * same / (len(said) + len(wanted))


def _bare(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())
