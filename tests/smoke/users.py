"""Virtual users: each asks one question after the other for a while."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice

import httpx

from tests.e2e.clients import Nexus
from tests.smoke.questions import QUESTIONS


@dataclass(frozen=True)
class Load:
    """What the users saw."""

    seconds: Sequence[float]
    """Of each answer."""
    failures: Sequence[str]

    @property
    def asked(self) -> int:
        return len(self.seconds) + len(self.failures)

    @property
    def p95(self) -> float:
        """Seconds that 95 % of the answers did not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))] if ordered else 0.0

    def __str__(self) -> str:
        return f"{self.asked} questions, {len(self.failures)} failed, 95 % answered within {self.p95:.2f} s"


@dataclass(frozen=True)
class Limits:
    """What an environment has to keep to."""

    failed_share: float
    slowest: float


def shortfalls(load: Load, limits: Limits) -> list[str]:
    """Where it falls short."""
    if not load.seconds:
        return [f"no question was answered: {', '.join(load.failures[:3]) or 'none was asked'}"]
    problems = []
    if len(load.failures) > limits.failed_share * load.asked:
        problems.append(f"{len(load.failures)} of {load.asked} questions failed: {', '.join(load.failures[:3])}")
    if load.p95 > limits.slowest:
        problems.append(f"95 % of the answers take up to {load.p95:.2f} s, and not {limits.slowest:g} s")
    return problems


def under_load(nexus: Nexus, *, users: int, seconds: float) -> Load:
    """All users at once."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(users) as pool:
        seen = list(pool.map(lambda number: _one_user(nexus, number, until), range(users)))
    return Load([one for took, _ in seen for one in took], [one for _, failed in seen for one in failed])


def _one_user(nexus: Nexus, number: int, until: float) -> tuple[list[float], list[str]]:
    """Being turned away for a moment, with Retry-After, is an answer too: it is waited for, and not counted."""
    took, failed = [], []
    with nexus.within(nexus.base) as own:
        for question in islice(cycle(QUESTIONS), number, None):
            if time.monotonic() >= until:
                return took, failed
            began = time.perf_counter()
            try:
                response = own.chat(question.text)
            except httpx.HTTPError as exc:
                failed.append(repr(exc))
                continue
            if response.status_code in (429, 503) and "retry-after" in response.headers:
                time.sleep(min(float(response.headers["retry-after"]), max(0.0, until - time.monotonic())))
            elif response.status_code == 200 and question.says in response.text:
                took.append(time.perf_counter() - began)
            else:
                failed.append(f"{response.status_code} {response.text[:100]}")
    raise AssertionError("unreachable: questions go round")
