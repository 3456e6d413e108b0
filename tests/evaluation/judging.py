"""What counts as right, for every system alike. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.evaluation import metrics
from tests.evaluation.corpus import Question

EVIDENCE_SHARE = 0.8
"""A passage holds the evidence when it has this share of its words: parsers differ in a space or a mark."""
DEEPEST = 10

_MARK = re.compile(r"\s*\[\d+\]")
_QUOTED_SUPPORT = re.compile(r'^(?P<short>.+?)\s+"(?P<quote>.+)"$', re.DOTALL)


@dataclass(frozen=True)
class Passage:
    """One thing a system found."""

    document: str
    text: str


@dataclass
class Reply:
    """What the platform answered."""

    text: str
    abstained: bool
    citations: Sequence[Mapping[str, str]]
    seconds: float
    id: str = ""
    sureness: float | None = None
    """The probability, as the platform sees it, that answering is right: low where it abstained."""
    timings: Mapping[str, float] = field(default_factory=dict)


def rank_of_evidence(question: Question, found: Sequence[Passage]) -> int | None:
    """The rank, from 1, of the first passage of the right document that holds the evidence (where none is given: an
    accepted answer)."""
    for rank, passage in enumerate(found[:DEEPEST], 1):
        if question.document not in (None, passage.document):
            continue
        if question.evidence:
            held = metrics.recall_of_words(passage.text, question.evidence) >= EVIDENCE_SHARE
        else:
            held = bool(metrics.contains(passage.text, question.answers))
        if held:
            return rank
    return None


def short_answer(text: str) -> str:
    """The answer proper: what stands before the quoted support, or all of it when nothing is quoted."""
    said = _MARK.sub("", text).strip()
    match = _QUOTED_SUPPORT.match(said)
    return (match["short"] if match else said).rstrip(".")


def judged(question: Question, reply: Reply, texts: Mapping[str, str]) -> dict[str, float]:
    """The figures of one answer to an answerable question; an abstention earns nothing."""
    if reply.abstained:
        return dict.fromkeys(("exact match", "F1", "says the answer"), 0.0)
    short = short_answer(reply.text)
    figures = {
        "exact match": metrics.exact_match(short, question.answers),
        "F1": metrics.f1(short, question.answers),
        "says the answer": metrics.contains(reply.text, question.answers),
    }
    if reply.citations:
        figures["cites verbatim"] = float(all(_is_verbatim(citation, texts) for citation in reply.citations))
        figures["cites the right document"] = float(
            any(citation["document"] == question.document for citation in reply.citations)
        )
        figures["quote holds the answer"] = metrics.contains(
            " ".join(citation["quote"] for citation in reply.citations), question.answers
        )
    return figures


def _is_verbatim(citation: Mapping[str, str], texts: Mapping[str, str]) -> bool:
    return citation["quote"] in texts.get(citation["document"], "")
