"""From scores to decisions: when to answer, and how sure an answer is. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question: the best answer's score, what it is worth if given (0 to 1), and whether the
    passages hold an answer at all."""

    score: float
    worth: float
    answerable: bool

    @property
    def right(self) -> bool:
        return self.worth >= 0.5


@dataclass(frozen=True, slots=True)
class Curve:
    """What the reader would do with one threshold. Shares, 0 to 1; `worth` is the mean over all questions, where
    refusing counts 1 for those without an answer and 0 for the others."""

    threshold: float
    worth: float
    refused_rightly: float
    """Recall of abstention: of the questions without an answer, those refused."""
    refused_wrongly: float
    """Of the questions with an answer, those refused."""
    precision: float
    """Of those refused, the ones without an answer."""


def curve(outcomes: Sequence[Outcome], points: int = 200) -> list[Curve]:
    """What would be done with thresholds from the lowest score to the highest."""
    scores = sorted(outcome.score for outcome in outcomes)
    chosen = sorted({scores[(len(scores) - 1) * number // (points - 1)] for number in range(points)})
    return [at(outcomes, threshold) for threshold in [chosen[0] - 1e-6, *chosen, chosen[-1] + 1e-6]]


def at(outcomes: Sequence[Outcome], threshold: float, *, unanswerable: float | None = None) -> Curve:
    """What would be done with this threshold: below it nothing is answered. `worth` counts as if that share of the
    questions had no answer; as they come when none is named."""
    refused = [outcome for outcome in outcomes if outcome.score < threshold]
    none = sum(not outcome.answerable for outcome in outcomes)
    rightly = sum(not outcome.answerable for outcome in refused)
    given = sum(outcome.worth for outcome in outcomes if outcome.score >= threshold and outcome.answerable)
    share = none / len(outcomes) if unanswerable is None else unanswerable
    return Curve(
        threshold,
        (1 - share) * given / max(1, len(outcomes) - none) + share * rightly / max(1, none),
        rightly / none if none else 1.0,
        (len(refused) - rightly) / max(1, len(outcomes) - none),
        rightly / len(refused) if refused else 1.0,
    )


def best_threshold(
    outcomes: Sequence[Outcome], *, most_refused_wrongly: float = 1.0, unanswerable: float | None = None
) -> float:
    """The threshold worth most, among those that refuse at most this share of what could be answered; see `at` for
    the share of questions without an answer."""
    points = [at(outcomes, one.threshold, unanswerable=unanswerable) for one in curve(outcomes)]
    allowed = [one for one in points if one.refused_wrongly <= most_refused_wrongly]
    return max(allowed, key=lambda one: one.worth).threshold


def with_unanswerable(outcomes: Sequence[Outcome], share: float) -> list[Outcome]:
    """The outcomes without those unanswerable ones, from the end, that are more than this share (below 1) of them."""
    left = round(sum(one.answerable for one in outcomes) * share / (1 - share))
    kept = []
    for one in outcomes:
        if not one.answerable:
            left -= 1
        if one.answerable or left >= 0:
            kept.append(one)
    return kept


@dataclass(frozen=True, slots=True)
class Sureness:
    """The probability that an answer of some score is right: 1 / (1 + exp(-(slope * score + bias)))."""

    slope: float
    bias: float

    def of(self, score: float) -> float:
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.slope * score + self.bias))))


def fit_sureness(outcomes: Sequence[Outcome], rounds: int = 50) -> Sureness:
    """Logistic regression of being right on the score (Platt 1999), by Newton's method, lightly regularised."""
    slope, bias = 0.0, 0.0
    for _ in range(rounds):
        gradient = [1e-3 * slope, 0.0]
        hessian = [[1e-3, 0.0], [0.0, 1e-9]]
        for one in outcomes:
            sure = Sureness(slope, bias).of(one.score)
            for row, value in enumerate((one.score, 1.0)):
                gradient[row] += (sure - one.right) * value
                for column, other in enumerate((one.score, 1.0)):
                    hessian[row][column] += sure * (1 - sure) * value * other
        (a, b), (c, d) = hessian
        determinant = a * d - b * c
        if abs(determinant) < 1e-12:
            break
        slope -= (d * gradient[0] - b * gradient[1]) / determinant
        bias -= (a * gradient[1] - c * gradient[0]) / determinant
    return Sureness(slope, bias)


def calibration_bins(outcomes: Sequence[Outcome], sureness: Sureness, bins: int = 10) -> list[tuple[float, float, int]]:
    """For each bin that has any: mean sureness, share that is right, and how many."""
    found: list[tuple[float, float, int]] = []
    sures = [(sureness.of(one.score), one.right) for one in outcomes]
    for number in range(bins):
        inside = [one for one in sures if min(int(one[0] * bins), bins - 1) == number]
        if inside:
            mean, right = (sum(values) / len(inside) for values in zip(*inside, strict=True))
            found.append((mean, right, len(inside)))
    return found


def expected_calibration_error(outcomes: Sequence[Outcome], sureness: Sureness) -> float:
    """The mean distance between how sure an answer is and how often such answers are right (Naeini et al. 2015)."""
    bins = calibration_bins(outcomes, sureness)
    return sum(count * abs(mean - right) for mean, right, count in bins) / len(outcomes)
