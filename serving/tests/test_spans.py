"""Spans chosen from scores."""

import numpy as np
from nexus_serving.engines.spans import MAX_SPAN_TOKENS, best_spans
from nexus_serving.engines.windows import Window


def window(length: int) -> Window:
    offsets = [(5 * token, 5 * token + 4) for token in range(length)]
    return Window(3, [0] * (length + 4), [0] * (length + 4), 3, offsets)


def logits(length: int, **scores: tuple[float, float]) -> np.ndarray:
    made = np.zeros((length + 4, 2), np.float32)
    for name, pair in scores.items():
        made[int(name[1:]) + (3 if name[0] == "t" else 0)] = pair
    return made


def test_the_best_span_is_scored_against_no_answer():
    spans = best_spans(window(6), logits(6, t1=(5, 0), t3=(0, 4), n0=(1, 2)))
    assert (spans[0].passage, spans[0].start, spans[0].end) == (3, 5, 19)
    assert spans[0].score == 5 + 4 - 3


def test_further_spans_do_not_overlap_the_better_ones():
    spans = best_spans(window(8), logits(8, t1=(5, 0), t3=(0, 4), t6=(3, 3)), count=2)
    assert (spans[1].start, spans[1].end) == (30, 34)


def test_a_span_is_never_backward_nor_longer_than_its_limit():
    length = MAX_SPAN_TOKENS + 10
    spans = best_spans(window(length), logits(length, t0=(9, 0), t41=(0, 9)), count=5)
    assert all(span.start < span.end <= span.start + 5 * MAX_SPAN_TOKENS for span in spans)


def test_tokens_of_the_question_answer_nothing():
    spans = best_spans(window(3), logits(3, n1=(99, 99), t2=(1, 1)))
    assert (spans[0].start, spans[0].end) == (10, 14)
