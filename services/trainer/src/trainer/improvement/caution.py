"""How cautious a tuned reader is: training moves all its scores, so what it must reach to be said has to move too.
Pure."""

from collections.abc import Sequence
from dataclasses import replace

from nexus_serving.reader_model import Calibration

BEYOND = 0.5
"""So far from the last score where all are answered, or all refused."""


def as_cautious(before: Sequence[float], calibration: Calibration, now: Sequence[float]) -> Calibration:
    """The calibration with which the tuned reader refuses as many of the same questions as the champion does. `before`
    and `now` are the scores of their best answers; the sureness of a score moves along with the threshold."""
    refused = sum(score < calibration.threshold for score in before)
    ordered = sorted(now)
    below = ordered[refused - 1] if refused else ordered[0] - 2 * BEYOND
    above = ordered[refused] if refused < len(ordered) else ordered[-1] + 2 * BEYOND
    threshold = round((below + above) / 2, 3)
    moved = calibration.threshold - threshold
    return replace(calibration, threshold=threshold, bias=calibration.bias + calibration.slope * moved)
