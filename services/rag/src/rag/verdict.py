"""What may be said of what a reader said. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from opskit.contracts.answers import Citation
from opskit.contracts.reader import Passage, ReaderResult

from rag import citations
from rag.ports import Found


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer as it may be given. `withdrawn`: the reader answered, but nothing it cited was there."""

    text: str
    citations: list[Citation]
    abstained: bool
    dropped: int = 0
    withdrawn: bool = False


def verdict_on(
    result: ReaderResult, shown: Sequence[tuple[Passage, Found]], *, abstention: str, spoken: bool = False
) -> Verdict:
    """An answer that cites nothing that holds becomes an abstention, and an abstention cites nothing. When its words
    were `spoken` already, an abstention keeps those that the reader chose."""
    if result.abstained:
        return Verdict(result.answer if spoken else abstention, [], abstained=True)
    checked = citations.check(result.supports, shown)
    if not checked.citations:
        return Verdict(abstention, [], abstained=True, dropped=checked.dropped, withdrawn=True)
    cited = {citation.index for citation in checked.citations}
    unfounded = {support.passage for support in result.supports} - cited
    return Verdict(
        _without_marks(result.answer, unfounded), checked.citations, abstained=False, dropped=checked.dropped
    )


def _without_marks(answer: str, numbers: set[int]) -> str:
    """The answer without [n] of citations that were dropped."""
    for number in numbers:
        answer = re.sub(rf"[ \t]*\[{number}\]", "", answer)
    return answer
