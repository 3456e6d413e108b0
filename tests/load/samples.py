"""Measuring a call again and again, and summing up what was measured."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice
from typing import TypeVar

Argument = TypeVar("Argument")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` of them do not exceed. Raises ValueError for nothing."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def milliseconds(call: Callable[[Argument], object], arguments: Iterable[Argument]) -> list[float]:
    """How long each call took."""
    times = []
    for argument in arguments:
        began = time.perf_counter()
        call(argument)
        times.append((time.perf_counter() - began) * 1000)
    return times


def at_least(items: Sequence[Argument], number: int) -> list[Argument]:
    """All items, again from the first until there are so many. Raises ValueError for nothing."""
    if not items:
        raise ValueError("no items")
    return list(islice(cycle(items), max(number, len(items))))
