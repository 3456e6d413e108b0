"""Sums, and the tokens an answer reports at its end."""

from datetime import UTC, datetime

import pytest
from gateway.ports import UsageCount, UsageKey
from gateway.usage import TAIL_BYTES, Tail, UsageMeter
from opskit.identity import Caller

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ACME = Caller("acme", "key_1")


class MemoryUsage:
    def __init__(self):
        self.added = []
        self.down = False

    def add(self, counts):
        if self.down:
            raise ConnectionError("down")
        self.added.append(dict(counts))


def tail_of(*chunks):
    tail = Tail()
    for chunk in chunks:
        tail.add(chunk)
    return tail


def test_tokens_are_read_from_the_end_even_when_a_chunk_ends_within():
    tail = tail_of(b"data: x\n\n" * 10, b'data: {"usage": {"prompt_to', b'kens": 120, "completion_tokens":30}}\n\n')
    assert tail.tokens() == (120, 30)


def test_an_answer_without_usage_counts_no_tokens():
    assert tail_of(b"data: [DONE]\n\n").tokens() == (0, 0)


def test_a_document_that_quotes_usage_is_not_believed():
    assert tail_of(rb'{"content": "\"prompt_tokens\": 999999"}').tokens() == (0, 0)


def test_only_the_tail_of_a_long_answer_is_kept():
    tail = Tail()
    for _ in range(100):
        tail.add(b"x" * TAIL_BYTES)
        assert len(tail._bytes) <= 2 * TAIL_BYTES
    tail.add(b'"prompt_tokens": 5')
    assert tail.tokens() == (5, 0)


@pytest.fixture
def store():
    return MemoryUsage()


@pytest.fixture
def meter(store):
    return UsageMeter(store, now=lambda: NOW)


async def test_counts_are_written_together_and_once(meter, store):
    meter.request(ACME)
    meter.request(ACME)
    meter.answer(ACME, tail_of(b'"prompt_tokens": 7, "completion_tokens": 3'))
    await meter.flush()
    await meter.flush()
    assert store.added == [{UsageKey(NOW.date(), "acme", "key_1"): UsageCount(2, 1, 7, 3)}]


async def test_what_cannot_be_written_waits_for_the_next_time(meter, store):
    meter.request(ACME)
    store.down = True
    await meter.flush()
    meter.request(ACME)
    store.down = False
    await meter.flush()
    assert store.added == [{UsageKey(NOW.date(), "acme", "key_1"): UsageCount(requests=2)}]


async def test_the_end_writes_what_is_left(meter, store):
    async with meter.flushing(every=60):
        meter.request(ACME)
    assert store.added == [{UsageKey(NOW.date(), "acme", "key_1"): UsageCount(requests=1)}]
