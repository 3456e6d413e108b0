"""How fast answers are: one client, eight clients, and what each layer costs."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

from tests.e2e.clients import Answer, Nexus
from tests.load import layers
from tests.load.figures import Figure
from tests.load.samples import at_least, percentile

GROUP = "answers"
CLIENTS = 8
SECONDS_AT_EIGHT = 20.0
_WARM_UP = 10
_SAMPLES = 80


def measure(nexus: Nexus, questions: Sequence[str], triton_grpc: str) -> Iterator[Figure]:
    """Every question whole, every question streamed, then eight clients for a while."""
    asked = at_least(questions, _SAMPLES)
    for question in asked[:_WARM_UP]:
        nexus.ask(question)
    yield from _one_client(nexus, asked)
    yield Figure(GROUP, "first token p50, streamed, one client", _first_token(nexus, asked), "s", goal=0.3)
    yield Figure(GROUP, f"answers a second, {CLIENTS} clients", _rate(nexus, asked), "/s", 6, more_is_better=True)
    yield from layers.in_triton(nexus, asked, triton_grpc)


def _one_client(nexus: Nexus, questions: Sequence[str]) -> Iterator[Figure]:
    seconds, outside, around, reading, retrieving = [], [], [], [], []
    for question in questions:
        began = time.perf_counter()
        answer = nexus.ask(question)
        seconds.append(time.perf_counter() - began)
        timings = answer.details["timings"]
        outside.append(seconds[-1] * 1000 - timings.get("read", 0.0))
        around.append(seconds[-1] * 1000 - timings["total"])
        reading.append(timings.get("read", 0.0))
        retrieving.append(timings.get("retrieve", 0.0))
    yield Figure(GROUP, "whole answer p50, one client", percentile(seconds, 0.5), "s", goal=0.5)
    yield Figure(GROUP, "whole answer p95, one client", percentile(seconds, 0.95), "s", goal=1.0)
    yield Figure(GROUP, "outside the reader p50 (gateway, rag, retrieval)", percentile(outside, 0.5), "ms", goal=80)
    yield Figure(GROUP, "of it retrieval, the question's embedding included, p50", percentile(retrieving, 0.5), "ms")
    yield Figure(GROUP, "of it gateway and HTTP (client's time less rag's) p50", percentile(around, 0.5), "ms")
    yield Figure(GROUP, "in the reader p50", percentile(reading, 0.5), "ms")


def _first_token(nexus: Nexus, questions: Sequence[str]) -> float:
    first = [nexus.stream(question).first_words_seconds for question in questions]
    return percentile([seconds for seconds in first if seconds is not None], 0.5)


def _rate(nexus: Nexus, questions: Sequence[str]) -> float:
    until = time.monotonic() + SECONDS_AT_EIGHT

    def client(number: int) -> int:
        answered = 0
        with nexus.within(nexus.base) as own:
            for question in islice(cycle(questions), number * len(questions) // CLIENTS, None):
                if time.monotonic() >= until:
                    return answered
                answer: Answer = own.ask(question)
                assert answer.text
                answered += 1
        return answered

    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        answered = sum(clients.map(client, range(CLIENTS)))
    return answered / (time.monotonic() - began)
