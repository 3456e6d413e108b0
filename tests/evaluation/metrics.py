"""The figures, from outcomes alone. Pure."""

import random
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_DROPPED = str.maketrans("", "", string.punctuation)
RESAMPLES = 1000


def normalised(text: str) -> str:
    """SQuAD's normalisation (Rajpurkar et al. 2016): lower case, no punctuation, no articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_DROPPED)).split())


def exact_match(given: str, accepted: Sequence[str]) -> float:
    """1 when the answer is one of those accepted, after normalisation."""
    return float(any(normalised(given) == normalised(answer) for answer in accepted))


def f1(given: str, accepted: Sequence[str]) -> float:
    """The best overlap of words with an accepted answer: the harmonic mean of precision and recall, 0 to 1."""
    return max((_f1(normalised(given).split(), normalised(answer).split()) for answer in accepted), default=0.0)


def _f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    shared = sum((Counter(given) & Counter(wanted)).values())
    return 2 * shared / (len(given) + len(wanted)) if shared else 0.0


def contains(text: str, accepted: Sequence[str]) -> float:
    """1 when the text says an accepted answer, whatever it says besides."""
    said = f" {normalised(text)} "
    return float(any(f" {normalised(answer)} " in said for answer in accepted if normalised(answer)))


def recall_of_words(text: str, wanted: str) -> float:
    """The share of the words of `wanted` that `text` has, 0 to 1."""
    words = Counter(normalised(wanted).split())
    if not words:
        return 0.0
    return sum((words & Counter(normalised(text).split())).values()) / sum(words.values())


def reciprocal_rank(rank: int | None, at: int) -> float:
    """1 / rank for a rank from 1 to `at`, else 0."""
    return 1 / rank if rank is not None and rank <= at else 0.0


def mean(values: Sequence[float]) -> float:
    """0 for nothing."""
    return sum(values) / len(values) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie; the nearest that is there, 0 for nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def interval(values: Sequence[float], *, seed: int = 0) -> tuple[float, float]:
    """A 95 % bootstrap interval of the mean (Efron 1979), by resampling questions."""
    if not values:
        return 0.0, 0.0
    draw = random.Random(seed)
    means = sorted(mean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def abstention(pairs: Sequence[tuple[bool, bool]]) -> tuple[float, float]:
    """Precision and recall of abstaining, from pairs (unanswerable, abstained)."""
    right = sum(unanswerable and abstained for unanswerable, abstained in pairs)
    return _share(right, pairs, lambda pair: pair[1]), _share(right, pairs, lambda pair: pair[0])


def abstention_curve(cases: Sequence[tuple[bool, float]]) -> list[tuple[float, float]]:
    """(recall, precision) of abstaining, were every answer refused up to some sureness; from pairs (unanswerable,
    sureness), the least sure first."""
    total = sum(unanswerable for unanswerable, _ in cases)
    points: list[tuple[float, float]] = []
    right = 0
    for refused, (unanswerable, _) in enumerate(sorted(cases, key=lambda case: case[1]), 1):
        right += unanswerable
        points.append((right / total if total else 0.0, right / refused))
    return points


def calibration(cases: Sequence[tuple[float, bool]], bins: int = 5) -> list[tuple[float, float, int]]:
    """For each bin of equal width that has any: mean sureness, the share that is right, how many; from pairs (sureness,
    right)."""
    found: list[tuple[float, float, int]] = []
    for number in range(bins):
        inside = [case for case in cases if min(int(case[0] * bins), bins - 1) == number]
        if inside:
            found.append((mean([case[0] for case in inside]), mean([float(case[1]) for case in inside]), len(inside)))
    return found


def calibration_error(cases: Sequence[tuple[float, bool]]) -> float:
    """The mean distance of sureness from the share that is right (expected calibration error, Naeini et al. 2015)."""
    return sum(count * abs(sure - right) for sure, right, count in calibration(cases)) / len(cases) if cases else 0.0


def _share(right: int, pairs: Sequence[tuple[bool, bool]], counts: Callable[[tuple[bool, bool]], bool]) -> float:
    total = sum(counts(pair) for pair in pairs)
    return right / total if total else 0.0
