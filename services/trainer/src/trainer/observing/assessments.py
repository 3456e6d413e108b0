"""What people and judges say of an answer, as it stands at the answer's trace. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from trainer.feedback import KeptVote
from trainer.observing.judging import Judgement
from trainer.observing.pseudonyms import Pseudonyms

USER_RATING: Final = "user_rating"
_LONGEST: Final = 10_000
"""Characters of a rationale."""

Source = Literal["HUMAN", "LLM_JUDGE", "CODE"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """One opinion on one answer. `key` names it for ever: said again, it replaces what was said before."""

    key: str
    name: str
    value: str | float
    rationale: str
    source: Source
    who: str
    at: datetime
    facts: Mapping[str, str] = field(default_factory=dict)


def of_vote(kept: KeptVote, names: Pseudonyms) -> Assessment:
    """A vote. A changed one keeps its id, so it is the same assessment with another value."""
    vote = kept.vote
    return Assessment(
        key=kept.id,
        name=USER_RATING,
        value=vote.rating,
        rationale=_rationale(vote.comment, vote.correction),
        source="HUMAN",
        who=names.voter(vote.tenant, vote.key_id),
        at=kept.updated_at,
    )


def of_judgement(judgement: Judgement) -> list[Assessment]:
    """The three scores of a judge."""
    source: Source = "CODE" if judgement.judge.startswith("local") else "LLM_JUDGE"
    return [
        Assessment(
            key=f"{judgement.answer_id}/{name}",
            name=name,
            value=score,
            rationale=judgement.reasons.get(name, "")[:_LONGEST],
            source=source,
            who=judgement.judge,
            at=judgement.at,
        )
        for name, score in judgement.scores.items()
    ]


def _rationale(comment: str | None, correction: str | None) -> str:
    parts = [comment or "", f"Correction: {correction}" if correction else ""]
    return "\n\n".join(part for part in parts if part)[:_LONGEST]
