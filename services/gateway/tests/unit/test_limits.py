"""Counting on while Redis is away."""

import pytest
from gateway.errors import LimiterDown, Overloaded
from gateway.limits import SteadyLimiter
from gateway.ports import Verdict
from gateway.slots import Slots


class Counting:
    def __init__(self):
        self.hits = 0
        self.down = False

    async def hit(self, _):
        self.hits += 1
        if self.down:
            raise LimiterDown("redis: ConnectionError")
        return Verdict(allowed=True)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def shared():
    return Counting()


@pytest.fixture
def local():
    return Counting()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limiter(shared, local, clock):
    return SteadyLimiter(shared, local, pause=1, clock=clock)


async def test_the_shared_count_is_asked_while_it_answers(limiter, shared, local):
    for _ in range(5):
        assert (await limiter.hit("key")).allowed
    assert (shared.hits, local.hits) == (5, 0)
    assert limiter.trouble is None


async def test_without_it_requests_are_counted_here_and_it_is_left_alone_for_a_while(limiter, shared, local, clock):
    shared.down = True
    for _ in range(5):
        assert (await limiter.hit("key")).allowed
    assert (shared.hits, local.hits) == (1, 5)
    assert "redis" in limiter.trouble
    clock.now += 1.1
    await limiter.hit("key")
    assert (shared.hits, local.hits) == (2, 6)


async def test_it_is_used_again_when_it_is_back(limiter, shared, local, clock):
    shared.down = True
    await limiter.hit("key")
    shared.down = False
    clock.now += 1.1
    await limiter.hit("key")
    await limiter.hit("key")
    assert (shared.hits, local.hits) == (3, 1)
    assert limiter.trouble is None


def test_a_full_house_turns_the_next_one_away_until_someone_leaves():
    slots = Slots("tests", 2)
    with slots.taken():
        with slots.taken(), pytest.raises(Overloaded) as refusal, slots.taken():
            pass
        assert refusal.value.retry_after == 1
        with slots.taken():
            pass


def test_a_slot_is_given_back_when_the_work_fails():
    slots = Slots("tests", 1)
    for _ in range(3):
        with pytest.raises(ValueError), slots.taken():
            raise ValueError
