"""Room for so many at once."""

import asyncio
import time

import pytest
from rag.errors import Busy
from rag.slots import ReaderSlots


async def hold(slots: ReaderSlots, until: asyncio.Event) -> None:
    async with slots.taken():
        await until.wait()


async def test_who_finds_the_queue_full_is_told_at_once():
    slots, end = ReaderSlots(at_once=1, waiting=1, wait_seconds=5), asyncio.Event()
    held = [asyncio.create_task(hold(slots, end)) for _ in range(2)]
    await asyncio.sleep(0)
    started = time.perf_counter()
    with pytest.raises(Busy) as caught:
        await hold(slots, end)
    assert time.perf_counter() - started < 0.1
    assert caught.value.retry_after
    end.set()
    await asyncio.gather(*held)


async def test_who_waits_too_long_is_told_and_leaves_room_for_the_next():
    slots, end = ReaderSlots(at_once=1, waiting=1, wait_seconds=0.05), asyncio.Event()
    holder = asyncio.create_task(hold(slots, end))
    await asyncio.sleep(0)
    for _ in range(2):
        with pytest.raises(Busy):
            await hold(slots, end)
    end.set()
    await holder
    await hold(slots, end)


async def test_a_slot_comes_back_when_its_holder_fails_or_is_cancelled():
    slots, never = ReaderSlots(at_once=1, waiting=0, wait_seconds=1), asyncio.Event()
    holder = asyncio.create_task(hold(slots, never))
    await asyncio.sleep(0)
    holder.cancel()
    await asyncio.gather(holder, return_exceptions=True)
    with pytest.raises(RuntimeError):
        async with slots.taken():
            raise RuntimeError
    async with slots.taken():
        pass
