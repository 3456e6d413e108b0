"""Putting passages in the order in which they answer. Pure.

Search ranks by words and meaning, the extractive reader by whether an answer stands there; both know something. On the
68 development questions the right passage is among the first four for 74 % instead of 68 % (docs/adr/0016).
"""

from collections.abc import Sequence

from rag.ports import Found


def reordered(found: Sequence[Found], scores: Sequence[float], *, rank_weight: float) -> list[Found]:
    """The passages by the reader's score less `rank_weight` for each place that search put before them."""
    worth = [score - rank_weight * rank for rank, score in enumerate(scores)]
    return [one for _, one in sorted(zip(worth, found, strict=True), key=lambda pair: -pair[0])]
