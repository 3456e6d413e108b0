"""First questions to suggest, read off the documents themselves, so that each has an answer there. Pure."""

import re
from collections.abc import Iterable, Iterator

_ASKED = re.compile(
    r"^#{1,6}\s+((?:What|How|Why|When|Where|Who|Can|Does|Do|Is|Are|Which|Should)\b[^?\n]{8,70}\?)", re.M
)
_PURPOSE = re.compile(
    r"(?:^|(?<=[.!?] ))To ([a-z]+ (?!this\b|these\b|it\b|that\b|do\b)[^,.:;()\n`<>\[\]]{8,55}),", re.M
)
_DEFINED = re.compile(
    r"(?:^|(?<=[.!?] ))((?:An? |The )?[A-Z][A-Za-z0-9-]*(?: [A-Za-z0-9-]+){0,2})"
    r" is (?:an?|the) (?!example|few|good)[a-z]{3,}",
    re.M,
)
_VAGUE = frozenset("this that these those it there here note if because what which note following below above".split())
_VAGUE_VERBS = frozenset("begin work start assess learn solve help detect understand see read get".split())


def suggested_questions(passages: Iterable[str], *, limit: int = 3) -> list[str]:
    """Up to `limit` different questions, of as many passages as possible."""
    chosen: dict[str, str] = {}
    for passage in passages:
        question = next((q for q in _questions(passage) if q.casefold() not in chosen), None)
        if question is not None:
            chosen[question.casefold()] = question
        if len(chosen) == limit:
            break
    return list(chosen.values())


def _questions(passage: str) -> Iterator[str]:
    for asked in _ASKED.finditer(passage):
        yield " ".join(asked[1].split())
    for purpose in _PURPOSE.finditer(passage):
        if purpose[1].split()[0] not in _VAGUE_VERBS:
            yield f"How do I {_to_reader(purpose[1])}?"
    for defined in _DEFINED.finditer(passage):
        words = defined[1].split()
        enough = 3 if words[0] == "The" else 2  # "Jitter is the …" and "The jitter is the …" define nothing
        if len(words) >= enough and not _VAGUE.intersection(word.casefold() for word in words):
            yield f"What is {_lower_article(defined[1])}?"


def _to_reader(purpose: str) -> str:
    words = re.sub(r"\byou are\b", "I am", " ".join(purpose.split()))
    return re.sub(r"\byour\b", "my", re.sub(r"\byou\b", "I", words))


def _lower_article(name: str) -> str:
    first, _, rest = name.partition(" ")
    return f"{first.lower()} {rest}" if first in ("A", "An", "The") else name
