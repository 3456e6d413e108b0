"""What a reader is given: numbered passages within a token budget. Pure."""

import re
from collections.abc import Iterable

from opskit.contracts.reader import Passage, ReaderLimits, ReaderRequest, Turn

from rag.ports import Exchange, Found
from rag.release import PromptSettings

_PIECE = re.compile(r"[^\W_]+|[^\w\s]|_")
_LETTERS_A_TOKEN = 6
"""A word of up to so many letters is about one token."""
_TURN_CHARS = 1000


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, without a tokenizer: words by their length, and each mark. Errs upward."""
    return sum(1 + (len(piece) - 1) // _LETTERS_A_TOKEN for piece in _PIECE.findall(text))


def numbered(found: Iterable[Found], *, budget: int, most: int) -> list[tuple[Passage, Found]]:
    """The best passages that fit the budget, numbered from 1. One that is too long is left out and shorter ones after
    it may follow, but the best is always shown."""
    shown: list[tuple[Passage, Found]] = []
    for one in found:
        if len(shown) >= most:
            break
        cost = estimated_tokens(f"{one.title} {one.heading} {one.text}")
        if shown and cost > budget:
            continue
        budget -= cost
        passage = Passage(
            number=len(shown) + 1,
            document=one.document,
            title=one.title,
            heading=one.heading,
            page=one.page,
            text=one.text,
        )
        shown.append((passage, one))
    return shown


def reader_request(
    question: str,
    passages: list[Passage],
    history: list[Exchange],
    settings: PromptSettings,
    *,
    max_answer_tokens: int | None,
) -> ReaderRequest:
    """The question with everything the reader may know."""
    turns: list[Turn] = []
    for exchange in history[len(history) - settings.history_turns :] if settings.history_turns else []:
        turns.append(Turn(role="user", content=exchange.question[:_TURN_CHARS]))
        turns.append(Turn(role="assistant", content=exchange.answer[:_TURN_CHARS]))
    return ReaderRequest(
        question=question,
        history=turns,
        passages=passages,
        limits=ReaderLimits(
            max_prompt_tokens=settings.passage_tokens,
            max_answer_tokens=min(settings.answer_tokens, max_answer_tokens or settings.answer_tokens),
        ),
        prompt=settings.for_reader(),
        abstain_below=settings.abstain_below,
    )
