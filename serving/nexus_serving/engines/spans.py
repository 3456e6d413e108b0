"""Choosing spans from the reader's scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nexus_serving.engines.windows import Window

MAX_SPAN_TOKENS = 32


@dataclass(frozen=True)
class Span:
    """A candidate answer: characters [start, end) of passage `passage`, and its score above the no-answer score."""

    passage: int
    start: int
    end: int
    score: float


def best_spans(window: Window, logits: NDArray[np.float32], count: int = 3) -> list[Span]:
    """The best spans of one window that do not overlap, best first. `logits` is [length, 2]."""
    null = float(logits[0].sum())
    starts = logits[window.first : window.last, 0]
    ends = logits[window.first : window.last, 1]
    size = len(starts)
    scores = starts[:, None] + ends[None, :]
    rows, columns = np.ogrid[:size, :size]
    scores = np.where((columns >= rows) & (columns < rows + MAX_SPAN_TOKENS), scores, -np.inf)
    found: list[Span] = []
    for _ in range(min(count, size)):
        first, last = divmod(int(scores.argmax()), size)
        score = float(scores[first, last])
        if not np.isfinite(score):
            break
        found.append(Span(window.passage, window.offsets[first][0], window.offsets[last][1], score - null))
        scores[: last + 1, first:] = -np.inf  # whatever overlaps the one taken
    return found
