"""Conversations on a real Redis."""

import asyncio
from datetime import timedelta

import pytest
from rag.adapters.redis_conversations import RedisConversations
from rag.ports import Exchange

pytestmark = pytest.mark.contract


@pytest.fixture
async def open_conversations(redis_server):
    opened = []

    def open_one(**changes):
        values = {"turns": 3, "ttl": timedelta(hours=1), **changes}
        opened.append(RedisConversations(f"redis://127.0.0.1:{redis_server.port}/0", **values))
        return opened[-1]

    yield open_one
    for one in opened:
        await one.close()


async def test_what_was_said_is_remembered_in_order(open_conversations):
    conversations = open_conversations()
    await conversations.add("acme", "conv_1", Exchange("one?", "1 – é 🎉"))
    await conversations.add("acme", "conv_1", Exchange("two?", "2"))
    assert await open_conversations().history("acme", "conv_1") == [Exchange("one?", "1 – é 🎉"), Exchange("two?", "2")]


async def test_only_the_latest_turns_are_kept(open_conversations):
    conversations = open_conversations()
    for number in range(9):
        await conversations.add("acme", "conv_1", Exchange(f"{number}?", ""))
    assert [one.question for one in await conversations.history("acme", "conv_1")] == ["6?", "7?", "8?"]


async def test_another_tenant_with_the_same_id_has_a_conversation_of_its_own(open_conversations):
    conversations = open_conversations()
    await conversations.add("acme", "conv_1", Exchange("secret?", ""))
    assert await conversations.history("other", "conv_1") == []


async def test_a_silent_conversation_is_forgotten(open_conversations):
    conversations = open_conversations(ttl=timedelta(seconds=1))
    await conversations.add("acme", "conv_1", Exchange("one?", ""))
    await asyncio.sleep(1.2)
    assert await conversations.history("acme", "conv_1") == []


async def test_an_endless_message_is_cut(open_conversations):
    conversations = open_conversations()
    await conversations.add("acme", "conv_1", Exchange("x" * 100_000, "y" * 100_000))
    (kept,) = await conversations.history("acme", "conv_1")
    assert len(kept.question) == len(kept.answer) == 4000


async def test_without_redis_there_is_no_memory_but_no_failure_either(
    open_conversations, redis_server, metric, eventually
):
    conversations = open_conversations()
    await conversations.add("acme", "conv_1", Exchange("one?", ""))
    redis_server.kill()
    assert await conversations.history("acme", "conv_1") == []
    await conversations.add("acme", "conv_1", Exchange("two?", ""))
    assert metric("nexus_conversation_errors_total", operation="read") == 1
    with pytest.raises(Exception, match=r"refused|111"):
        await conversations.check()
    redis_server.start()

    async def remembers() -> bool:
        await conversations.add("acme", "conv_2", Exchange("three?", ""))
        return await conversations.history("acme", "conv_2") != []

    await eventually(remembers)
