"""The adapters against the real Triton with the real models."""

import asyncio
import time
from contextlib import aclosing

import numpy as np
import pytest
from opskit.contracts.reader import Passage, ReaderDelta, ReaderLimits, ReaderRequest, ReaderResult
from opskit.errors import Unavailable
from rag.adapters.triton import TritonModels, open_triton
from rag.adapters.triton_embedder import TritonEmbedder
from rag.adapters.triton_reader import TritonReader
from rag.errors import ReaderFailed

pytestmark = pytest.mark.contract

TEXT = "By default, Argo CD checks Git repositories every 3 minutes to detect changes to the manifests."


@pytest.fixture
async def client(triton_server):
    client = open_triton(f"127.0.0.1:{triton_server.port}")
    yield client
    await client.close()


@pytest.fixture
async def nobody():
    client = open_triton("127.0.0.1:9")
    yield client
    await client.close()


def request(copies: int = 1, **changes) -> ReaderRequest:
    passages = [
        Passage(number=number, document=f"{number}.md", title="FAQ", text=f"{TEXT} {'More words. ' * number}")
        for number in range(1, copies + 1)
    ]
    values = {"question": "How often does Argo CD check Git?", "passages": passages, **changes}
    return ReaderRequest.model_validate(values)


async def heard(reader, asked, seconds=20.0):
    async with aclosing(reader.read(asked, model="reader", seconds=seconds)) as events:
        return [event async for event in events]


async def test_the_models_say_who_they_are(client):
    models = TritonModels(client, refresh_seconds=60)
    served = await models.current()
    assert served.reader_digest
    assert served.embedder_fingerprint
    assert await models.refresh() == served
    await models.check()


async def test_texts_become_unit_vectors_in_their_order(client):
    embedder = TritonEmbedder(client)
    texts = [f"text number {number}" for number in range(20)]
    together = await embedder.embed(texts)
    assert together.vectors.shape == (20, 384)
    assert np.allclose(np.linalg.norm(together.vectors, axis=1), 1.0, atol=1e-3)
    alone = await embedder.embed([texts[13]])
    assert float(alone.vectors[0] @ together.vectors[13]) > 0.99
    assert alone.tokens == [together.tokens[13]]
    assert alone.tokens[0] > 2


async def test_odd_texts_are_embedded(client):
    embedded = await TritonEmbedder(client).embed(["", "\x00", "é🎉", "\ud800", "x" * 30_000])
    assert embedded.vectors.shape == (5, 384)


async def test_the_reader_says_deltas_and_then_the_result(client):
    *deltas, result = await heard(TritonReader(client), request())
    assert all(isinstance(delta, ReaderDelta) for delta in deltas)
    assert isinstance(result, ReaderResult)
    assert "".join(delta.text for delta in deltas) == result.answer
    assert not result.abstained
    (support, *_) = result.supports
    assert "3 minutes" in request().passages[0].text[support.start : support.end]
    assert result.usage.prompt_tokens > 10


async def test_the_threshold_of_the_release_is_obeyed(client):
    *_, result = await heard(TritonReader(client), request(abstain_below=1e6))
    assert result.abstained
    assert result.supports == []


async def test_reading_stops_when_nobody_listens(client):
    reader = TritonReader(client)
    asked = request(40, limits=ReaderLimits(max_prompt_tokens=100_000))
    started = time.perf_counter()
    await heard(reader, asked, seconds=60)
    whole = time.perf_counter() - started
    for _ in range(5):  # each would keep the reader busy for as long, were it not cancelled
        task = asyncio.create_task(heard(reader, asked, seconds=60))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    started = time.perf_counter()
    await heard(reader, request())
    assert time.perf_counter() - started < 2.5 * whole


async def test_reading_ends_at_its_deadline(client):
    asked = request(40, limits=ReaderLimits(max_prompt_tokens=100_000))
    with pytest.raises(ReaderFailed, match="within"):
        await heard(TritonReader(client), asked, seconds=0.02)


async def test_a_triton_that_is_not_there_is_unavailable_at_once(nobody):
    started = time.perf_counter()
    with pytest.raises(Unavailable):
        await TritonModels(nobody, refresh_seconds=60).current()
    with pytest.raises(Unavailable):
        await TritonEmbedder(nobody).embed(["text"])
    with pytest.raises(Unavailable):
        await heard(TritonReader(nobody), request())
    assert time.perf_counter() - started < 3
