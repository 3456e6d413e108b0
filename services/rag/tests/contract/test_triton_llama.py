"""The adapters against the real Triton with a language model as the reader."""

import asyncio
import os
import signal
import subprocess
from contextlib import aclosing

import pytest
from opskit.contracts.reader import Passage, ReaderDelta, ReaderRequest, ReaderResult
from opskit.errors import InvalidRequest, Unavailable
from rag.adapters.triton import TritonModels, open_triton
from rag.adapters.triton_ranker import TritonRanker
from rag.adapters.triton_reader import TritonReader
from rag.errors import ReaderFailed

pytestmark = [pytest.mark.contract, pytest.mark.timeout(300)]

OTTER = "The weight of the Otter is 43 grams."


def asking(question: str) -> ReaderRequest:
    return ReaderRequest(question=question, passages=[Passage(number=1, document="d.md", title="", text=OTTER)])


WEIGHT = asking("What is the weight of the Otter?")


async def heard(client, asked: ReaderRequest) -> list[ReaderDelta | ReaderResult]:
    async with aclosing(TritonReader(client).read(asked, model="reader", seconds=20)) as events:
        return [event async for event in events]


@pytest.fixture
async def client(llama_triton):
    client = open_triton(f"127.0.0.1:{llama_triton.port}")
    yield client
    await client.close()


def llama_process(server) -> int:
    """The process of llama.cpp, a grandchild of Triton."""
    children = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True, check=True)
    stubs = ",".join(children.stdout.split())
    found = subprocess.run(["pgrep", "-P", stubs, "-f", "serve.py"], capture_output=True, text=True, check=True)
    return int(found.stdout)


async def test_it_says_that_its_reader_writes(client):
    served = await TritonModels(client, refresh_seconds=60).current()
    assert served.engine == "llama.cpp"
    assert served.writes
    assert len(served.reader_digest) == 64


async def test_an_answer_streams_through_triton_with_its_citation(client):
    *deltas, result = await heard(client, WEIGHT)
    assert isinstance(result, ReaderResult)
    assert len(deltas) > 5
    assert "".join(delta.text for delta in deltas if isinstance(delta, ReaderDelta)) == result.answer == f"{OTTER} [1]"
    assert result.supports[0].end == len(OTTER)


async def test_a_question_beyond_the_context_is_the_callers_to_shorten(client):
    with pytest.raises(InvalidRequest, match="ask a shorter question"):
        await heard(client, asking("weight " * 3000))


async def test_when_llama_cpp_has_died_the_next_question_finds_a_new_one(client, llama_triton):
    os.kill(llama_process(llama_triton), signal.SIGKILL)
    *_, result = await heard(client, WEIGHT)
    assert isinstance(result, ReaderResult)
    assert result.answer == f"{OTTER} [1]"


async def test_when_llama_cpp_dies_before_it_says_a_word_a_new_one_says_it(client, llama_triton):
    process = llama_process(llama_triton)
    os.kill(process, signal.SIGSTOP)
    asked = asyncio.create_task(heard(client, WEIGHT))
    await asyncio.sleep(0.3)  # long enough to be at it; if it is not, it finds it dead
    os.kill(process, signal.SIGKILL)
    assert isinstance((await asked)[-1], ReaderResult)


async def test_when_llama_cpp_dies_in_the_middle_it_is_said(client, llama_triton):
    process = llama_process(llama_triton)
    events = TritonReader(client).read(asking("Count as far as you can."), model="reader", seconds=20)
    await anext(events)
    os.kill(process, signal.SIGKILL)
    with pytest.raises(ReaderFailed, match="the language model's server broke off"):
        async for _ in events:
            pass
    assert isinstance((await heard(client, WEIGHT))[-1], ReaderResult)


async def test_leaving_in_the_middle_harms_nobody(client):
    for _ in range(12):
        async with aclosing(
            TritonReader(client).read(asking("Count as far as you can."), model="reader", seconds=20)
        ) as events:
            await anext(events)
    assert isinstance((await heard(client, WEIGHT))[-1], ReaderResult)


async def test_a_model_that_cannot_be_loaded_is_named_with_the_reason(broken_triton, eventually):
    client = open_triton(f"127.0.0.1:{broken_triton.port}")
    models = TritonModels(client, refresh_seconds=60)

    async def named() -> bool:
        with pytest.raises(Unavailable) as refused:
            await models.check()
        return "unknown.gguf cannot be loaded: unknown model architecture: 'llamb'" in refused.value.message

    await eventually(named)
    await client.close()


async def test_beside_it_a_ranker_tells_which_passages_answer(client):
    scores = await TritonRanker(client).scores("What is the weight of the Otter?", ["Herons like fish.", OTTER])
    assert scores[1] > scores[0] + 3


async def test_without_a_ranker_it_says_so():
    nobody = open_triton("127.0.0.1:9")
    with pytest.raises(Unavailable, match="ranker"):
        await TritonRanker(nobody).scores("What?", ["Words."])
    await nobody.close()
