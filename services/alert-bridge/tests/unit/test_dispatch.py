"""Handing over, apart from any queue."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from alert_bridge.dispatch import Dispatcher
from alert_bridge.runs import Automation
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable
from prometheus_client import REGISTRY

ONE, TWO = (RunOrder(run_id=f"run_000000000{number}") for number in (1, 2))
QUICKLY = {"first_pause": timedelta(milliseconds=1), "longest_pause": timedelta(milliseconds=5)}


class FakeOutbox:
    def __init__(self, *orders):
        self.orders = list(orders)
        self.paused = self.is_away = False
        self.asked = 0

    def waiting(self):
        self.asked += 1
        if self.is_away:
            raise Unavailable("The database is away.")
        return list(self.orders)

    def mark_ordered(self, run_id, *, now):
        assert now <= datetime.now(UTC)
        self.orders = [order for order in self.orders if order.run_id != run_id]

    def automation(self):
        return Automation(paused=self.paused)


class FakeStarter:
    def __init__(self):
        self.started = []
        self.refused = set()
        self.attempts = 0

    async def start(self, order):
        self.attempts += 1
        if order in self.refused:
            raise Unavailable("The queue is away.")
        self.started.append(order)

    async def check(self):
        pass


@pytest.fixture
def starter():
    return FakeStarter()


@asynccontextmanager
async def working(dispatcher):
    task = asyncio.create_task(dispatcher.run())
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the fakes tell nobody when they are used
            await asyncio.sleep(0.001)


def metric(name):
    return REGISTRY.get_sample_value(name)


async def test_what_waits_is_handed_over_in_order_and_marked(starter):
    outbox = FakeOutbox(ONE, TWO)
    assert await Dispatcher(outbox, starter).hand_over()
    assert (starter.started, outbox.orders) == ([ONE, TWO], [])
    assert metric("nexus_runs_waiting") == 0


async def test_what_cannot_be_handed_over_stays_and_holds_nothing_else_up(starter):
    outbox, failed = FakeOutbox(ONE, TWO), metric("nexus_run_orders_failed_total")
    starter.refused = {ONE}
    assert not await Dispatcher(outbox, starter).hand_over()
    assert (starter.started, outbox.orders) == ([TWO], [ONE])
    assert (metric("nexus_runs_waiting"), metric("nexus_run_orders_failed_total")) == (1, failed + 1)


async def test_nothing_is_handed_over_while_runs_are_paused(starter):
    outbox = FakeOutbox(ONE)
    outbox.paused = True
    assert await Dispatcher(outbox, starter).hand_over()
    assert (starter.started, outbox.orders, metric("nexus_runs_waiting")) == ([], [ONE], 1)


async def test_it_looks_when_it_starts_and_when_it_is_woken(starter):
    outbox = FakeOutbox(ONE)
    dispatcher = Dispatcher(outbox, starter, look_every=timedelta(hours=1))
    async with working(dispatcher):
        await until(lambda: starter.started == [ONE])
        outbox.orders.append(TWO)
        dispatcher.wake()
        await until(lambda: starter.started == [ONE, TWO])


async def test_it_looks_now_and_then_without_being_woken(starter):
    outbox = FakeOutbox()
    async with working(Dispatcher(outbox, starter, look_every=timedelta(milliseconds=1))):
        await until(lambda: outbox.asked > 2)
        outbox.orders.append(ONE)
        await until(lambda: starter.started == [ONE])


async def test_it_tries_again_until_the_queue_is_back(starter):
    starter.refused = {ONE}
    async with working(Dispatcher(FakeOutbox(ONE), starter, **QUICKLY)):
        await until(lambda: starter.attempts > 3)
        starter.refused = set()
        await until(lambda: starter.started == [ONE])


async def test_it_waits_longer_after_each_failure_up_to_a_bound(starter, monkeypatch):
    pauses = []
    dispatcher = Dispatcher(FakeOutbox(ONE), starter)
    starter.refused = {ONE}

    async def rest(pause):
        pauses.append(pause.total_seconds())
        await asyncio.sleep(0)

    monkeypatch.setattr(dispatcher, "_rest", rest)
    async with working(dispatcher):
        await until(lambda: len(pauses) >= 7)
        starter.refused = set()
        await until(lambda: pauses[-1] == 10)
    assert pauses[:7] == [1, 2, 4, 8, 16, 30, 30]


async def test_it_outlives_a_database_that_is_away(starter):
    outbox = FakeOutbox(ONE)
    outbox.is_away = True
    async with working(Dispatcher(outbox, starter, **QUICKLY)):
        await until(lambda: outbox.asked > 1)
        outbox.is_away = False
        await until(lambda: starter.started == [ONE])


async def test_it_outlives_what_nobody_foresaw_and_counts_it(starter, monkeypatch):
    def broken():
        raise ZeroDivisionError

    outbox = FakeOutbox(ONE)
    monkeypatch.setattr(outbox, "automation", broken)
    async with working(Dispatcher(outbox, starter, **QUICKLY)):
        await until(lambda: outbox.asked > 1)
        monkeypatch.undo()
        await until(lambda: starter.started == [ONE])
    assert REGISTRY.get_sample_value("nexus_bridge_unexpected_errors_total", {"at": "dispatch"}) >= 1
