"""Answers one by one, as they pass through rag and Triton: what the formulas leave out.

The formulas know one common queue. Here every pod has its own, rag lets so many answers be read at once, reading times
are as even as those measured, and connections may hold on to one pod of Triton for good.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Literal

from tests.load.samples import percentile

Action = Callable[[], None]
Routing = Literal["common", "turns", "pinned"]
"""How an answer comes to a pod of Triton: the first that is free; each in turn; always its rag's own."""

_WARM_UP = 0.1
"""Of all answers, the share that finds an emptier house than it will be, and is not counted."""


class Events:
    """What happens when, in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._coming: list[tuple[float, int, Action]] = []
        self._number = count()

    def after(self, seconds: float, action: Action) -> None:
        """Let it happen then."""
        heapq.heappush(self._coming, (self.now + seconds, next(self._number), action))

    def run(self) -> None:
        """Until nothing is left to happen."""
        while self._coming:
            self.now, _, action = heapq.heappop(self._coming)
            action()


class Station:
    """So many servers and a queue before them; who came first is served first."""

    def __init__(self, servers: int) -> None:
        self._free = servers
        self._queue: deque[Action] = deque()

    def enter(self, then: Action) -> None:
        """Go on with `then` as soon as a server is free. Whoever was served calls `leave`."""
        if self._free:
            self._free -= 1
            then()
        else:
            self._queue.append(then)

    def leave(self) -> None:
        """Give the server to the next."""
        if self._queue:
            self._queue.popleft()()
        else:
            self._free += 1


@dataclass(frozen=True)
class House:
    """What answers pass through."""

    rate: float
    """Answers a second that come, at random."""
    rags: int
    slots: int
    """Answers that one rag lets be read at once."""
    tritons: int
    readers: int
    """Answers that one pod of Triton reads at once."""
    around: float
    """Seconds of an answer outside the reader, nothing of it spent waiting."""
    reading: float
    """Seconds in the reader, a mean."""
    spread: float
    """Of reading times: standard deviation over mean. 1 is that of the formulas."""
    routing: Routing = "turns"


@dataclass(frozen=True)
class Seen:
    """What came out."""

    p50: float
    p95: float
    mean_wait: float
    """Seconds before the reader, for a slot of rag and for Triton."""


def simulate(house: House, *, answers: int = 20_000, seed: int = 1) -> Seen:
    """So many answers through the house."""
    events, random = Events(), Random(seed)
    slots = [Station(house.slots) for _ in range(house.rags)]
    pods = [Station(house.readers * house.tritons)] if house.routing == "common" else _pods(house)
    took, waited = [], []

    def answer(number: int) -> None:
        began, rag = events.now, number % house.rags
        turn = 0 if house.routing == "pinned" else number // house.rags
        pod = pods[(rag + turn) % len(pods)]
        reading = _reading(house, random)

        def read() -> None:
            waited.append(events.now - began - house.around)
            events.after(reading, done)

        def done() -> None:
            pod.leave()
            slots[rag].leave()
            took.append(events.now - began)

        events.after(house.around, lambda: slots[rag].enter(lambda: pod.enter(read)))

    arrival = 0.0
    for number in range(answers):
        arrival += random.expovariate(house.rate)
        events.after(arrival, lambda number=number: answer(number))  # type: ignore[misc]
    events.run()
    first = int(_WARM_UP * answers)
    return Seen(percentile(took[first:], 0.5), percentile(took[first:], 0.95), sum(waited[first:]) / (answers - first))


def _pods(house: House) -> list[Station]:
    return [Station(house.readers) for _ in range(house.tritons)]


def _reading(house: House, random: Random) -> float:
    """A gamma-distributed time: exponential where the spread is 1, always the same where it is 0."""
    if house.spread == 0:
        return house.reading
    shape = 1 / house.spread**2
    return random.gammavariate(shape, house.reading / shape)
