"""From scored spans to an answer: which span, in which form, or none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from grounding.blocks import Kind, blocks_over
from grounding.reading import plain
from grounding.units import Unit, cell_of, unit_of

from nexus_serving.engines import wording
from nexus_serving.engines.definitions import defining_sentences, subject
from nexus_serving.engines.evidence import Question, by_meaning, prior
from nexus_serving.engines.material import Material
from nexus_serving.engines.procedures import Procedure, procedures
from nexus_serving.engines.questions import Expected, Form, asks_for_example, form, looks_as_expected
from nexus_serving.engines.short_answers import complete, fits
from nexus_serving.engines.spans import Span

NO_SPAN = -6.0
"""What steps count as when the reader saw no answer in them: they must be very much about the question then."""
ABOUT = 5.0
"""Gained by steps whose title, headings and lead-in have all the question's words."""
UNSEEN_DEFINITION = -3.0
DEFINES = 4.0
"""What a sentence of a definition's form counts as where the reader saw no answer, and what the form adds."""
DANGLING = 3.0
"""Lost by a sentence that ends in a colon: alone it does not say how to do it."""
ASKING = 4.0
"""Lost by a unit that asks or names instead of telling: a question, a heading, the head of a table."""
WHOLE = 0.6
"""An answer that is this much of its sentence is not repeated before it."""
WEIGHED = 8
"""Candidates that are worth comparing with the question by their meaning; the rest could not win by it."""
CLOSE = 2.0
"""A second place that scores at most this much less is quoted too: the reader cannot tell which one is meant."""

Alike = Callable[[str, Sequence[str]], Sequence[float]]
"""How alike a question and each of some texts are in meaning, as cosines."""

_IN_SENTENCES = (Form.DEFINITION, Form.EXPLANATION, Form.YES_NO)
"""Forms that a sentence answers better than a few of its words."""
_IN_LISTS = (Form.HOW_TO, Form.LISTING)
"""Forms that a list answers better than one of its items."""


@dataclass(frozen=True)
class Candidate:
    """A short answer [start, end) with the unit that holds it, and its score with all evidence."""

    material: Material
    start: int
    end: int
    unit: Unit
    score: float

    @property
    def said(self) -> str:
        """The unit's words, without markup."""
        return plain(self.material.text[self.unit.start : self.unit.end])

    @property
    def dangles(self) -> bool:
        """Whether the unit only leads to something that is not in it."""
        return self.unit.kind is not Kind.CODE and self.material.text[self.unit.start : self.unit.end].endswith(":")

    @property
    def short(self) -> str:
        return plain(self.material.text[self.start : self.end]).replace("`", "")


@dataclass(frozen=True)
class Quotation:
    """The range [start, end) of a passage that an answer rests on."""

    material: Material
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.material.text[self.start : self.end]


@dataclass(frozen=True)
class Draft:
    """An answer that could be given, its score, its wording in pieces and what supports it."""

    score: float
    short: str
    pieces: tuple[str, ...]
    support: Quotation
    second: tuple[str, Quotation] | None = None
    """The wording and range of another place that is nearly as good."""


def best_draft(
    asked: str, materials: Sequence[Material], spans: Sequence[Span], alike: Alike | None = None
) -> Draft | None:
    """The best answer to `asked`, however good it is; None when there was nothing to read."""
    question = Question.over(asked, [material.all_words for material in materials])
    found = [*_candidates(question, materials, spans)]
    if alike is not None:
        found = _compared(question, found, alike)
    wanted = form(asked)
    if wanted is Form.DEFINITION:
        found += _definitions(question, materials, found)
    if wanted in _IN_LISTS:
        found = [replace(one, score=one.score - DANGLING) if one.dangles else one for one in found]
    candidates = sorted(found, key=lambda one: one.score, reverse=True)
    if wanted in _IN_LISTS and (steps := _steps(question, materials, candidates, wanted)) is not None:
        return steps
    return _with_second(_draft(candidates[0], wanted), candidates) if candidates else None


def _candidates(question: Question, materials: Sequence[Material], spans: Sequence[Span]) -> Iterator[Candidate]:
    for span in spans:
        material = materials[span.passage]
        first, last = material.reading.source_range(span.start, span.end)
        # What is read on from one row or item to the next may mean either: the evidence decides.
        for block in blocks_over(material.blocks, first, last):
            start, end = max(first, block.body), min(last, block.body_end)
            if material.text[start:end].strip():
                yield _candidate(question, material, start, end, span.score)


def _candidate(question: Question, material: Material, start: int, end: int, score: float) -> Candidate:
    unit = unit_of(material.text, material.blocks, start, end)
    low, high = cell_of(material.text, unit, start, end)
    start, end = complete(material.text, max(start, low), min(end, high), low, high)
    score += prior(
        question,
        rank=material.rank,
        answer=material.text[start:end],
        sentence=material.text[unit.start : unit.end],
        passage=material.all_words,
        in_row=unit.kind is Kind.ROW,
    )
    if unit.kind is Kind.HEADING or material.text[unit.start : unit.end].endswith("?"):
        score -= ASKING
    return Candidate(material, start, end, unit, score)


def _compared(question: Question, found: Sequence[Candidate], alike: Alike) -> list[Candidate]:
    """The best candidates, each weighed also by what its unit means."""
    best = sorted(found, key=lambda one: one.score, reverse=True)[:WEIGHED]
    texts = list(dict.fromkeys(one.said for one in best))
    cosines = dict(zip(texts, alike(question.text, texts), strict=True)) if texts else {}
    return [replace(one, score=one.score + by_meaning(cosines[one.said])) for one in best]


def _definitions(
    question: Question, materials: Sequence[Material], candidates: Sequence[Candidate]
) -> Iterator[Candidate]:
    """Sentences that define what is asked, each as good as what the reader saw in it and better for its form."""
    thing = subject(question.text)
    if not thing:
        return
    for material in materials:
        for start, end in defining_sentences(thing, material.text, material.blocks):
            inside = (one.score for one in candidates if one.material is material and start <= one.start < end)
            added = prior(question, rank=material.rank, answer="", sentence="", passage=material.all_words)
            seen = max(inside, default=UNSEEN_DEFINITION + added)
            unit = Unit(Kind.PARAGRAPH, start, end)
            yield Candidate(material, start, end, unit, max(seen, UNSEEN_DEFINITION + added) + DEFINES)


def _draft(best: Candidate, wanted: Form) -> Draft:
    text, unit, number = best.material.text, best.unit, best.material.passage.number
    whole = not fits(text[best.start : best.end]) or best.end - best.start >= WHOLE * (unit.end - unit.start)
    if wanted is Form.HOW_TO:
        whole = whole or not looks_as_expected(best.short, Expected.IDENTIFIER)
    if whole or wanted in _IN_SENTENCES:
        pieces: tuple[str, ...] = (wording.sentence_alone(text, unit, number),)
    else:
        pieces = (wording.short_piece(text, best.start, best.end, unit.kind), wording.quoted(text, unit, number))
    return Draft(best.score, best.short, pieces, Quotation(best.material, unit.start, unit.end))


def _with_second(draft: Draft, candidates: Sequence[Candidate]) -> Draft:
    """The draft, and a quotation of the next best place when that is nearly as good."""
    first = draft.support
    for one in candidates[1:]:
        if one.score < draft.score - CLOSE:
            break
        second = Quotation(one.material, one.unit.start, one.unit.end)
        if second.text.strip() in first.text or first.text.strip() in second.text:
            continue
        also = wording.also(one.material.text, one.unit, one.material.passage.number)
        return replace(draft, second=(also, second))
    return draft


def _steps(
    question: Question, materials: Sequence[Material], candidates: Sequence[Candidate], wanted: Form
) -> Draft | None:
    """The best steps, or the best list, when they score better than the best span elsewhere."""
    scored = [
        (_steps_score(question, material, procedure, candidates), material, procedure)
        for material in materials
        for procedure in procedures(material.text, material.blocks)
        if wanted is Form.HOW_TO or procedure.lists_things
    ]
    if not scored:
        return None
    score, material, procedure = max(scored, key=lambda one: one[0])
    if candidates and candidates[0].score > score and not asks_for_example(question.text):
        return None
    inside = [one for one in candidates if one.material is material and procedure.holds(one.start)]
    pieces = tuple(wording.procedure_pieces(material.text, procedure, material.passage.number))
    short = inside[0].short if inside else plain(material.text[procedure.start : procedure.acts_from])
    return Draft(score, short, pieces, Quotation(material, procedure.start, procedure.end))


def _steps_score(
    question: Question, material: Material, procedure: Procedure, candidates: Sequence[Candidate]
) -> float:
    lead_in = material.text[procedure.start : procedure.acts_from]
    read = next(
        (one.score for one in candidates if one.material is material and procedure.holds(one.start)),
        NO_SPAN - 2 * question.missing_names(material.all_words),
    )
    return read + ABOUT * question.coverage(f"{material.place} {lead_in}")
