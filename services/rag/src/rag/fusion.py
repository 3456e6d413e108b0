"""Two rankings made one. Pure: scores in, scores out, 0 to 1, best first.

`convex` puts the scores of both legs on one scale (min-max over what each leg returned) and adds them by weight, so a
clear winner of one leg stays one. `rrf` looks at ranks alone and is the baseline. Each leg maps a chunk's id to its
score, higher is better; a leg may be empty, because it found nothing.
"""

from collections.abc import Mapping

Leg = Mapping[str, float]
RRF_K = 60


def convex(dense: Leg, lexical: Leg, *, dense_weight: float, floor: float) -> dict[str, float]:
    """The weighted sum of normalised scores. An empty leg hands its weight to the other: a question in words that no
    document uses is ranked by meaning alone, on the same scale."""
    if not dense or not lexical:
        return _ranked(_normalised(dense or lexical, floor))
    weighted = ((dense_weight, _normalised(dense, floor)), (1 - dense_weight, _normalised(lexical, floor)))
    return _ranked({id: sum(weight * leg.get(id, 0.0) for weight, leg in weighted) for id in (*dense, *lexical)})


def rrf(dense: Leg, lexical: Leg) -> dict[str, float]:
    """Reciprocal rank fusion, scaled so that the first of both legs has 1."""
    legs = [leg for leg in (dense, lexical) if leg]
    fused: dict[str, float] = {}
    for leg in legs:
        for rank, id in enumerate(_ranked(leg)):
            fused[id] = fused.get(id, 0.0) + (RRF_K + 1) / (RRF_K + 1 + rank) / len(legs)
    return _ranked(fused)


def _normalised(leg: Leg, floor: float) -> dict[str, float]:
    """Min-max to [floor, 1]. The last one returned is still better than all that were not, hence the floor; scores that
    are all the same say only that each was found, and count in full."""
    low, high = min(leg.values(), default=0.0), max(leg.values(), default=0.0)
    if high <= low:
        return dict.fromkeys(leg, 1.0)
    return {id: floor + (1 - floor) * (score - low) / (high - low) for id, score in leg.items()}


def _ranked(scores: Leg) -> dict[str, float]:
    """Best first; equal scores by id, so that the same question always gives the same order."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))
