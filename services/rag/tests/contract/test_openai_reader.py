"""The reader on an OpenAI-compatible server: llama.cpp's own with the tiny model, and servers that misbehave."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nexus_serving.layout import Layout
from nexus_serving.llama.environment import prepare_llama
from nexus_serving.llama.process import SERVE
from opskit.contracts.reader import Passage, ReaderDelta, ReaderLimits, ReaderRequest, ReaderResult
from opskit.errors import InvalidRequest, Unavailable
from rag.adapters import openai_reader
from rag.adapters.openai_reader import OpenAiReader, Terms
from rag.breaker import Breaker
from rag.errors import Busy, ReaderFailed
from rag.remote_model import RemoteModel

pytestmark = pytest.mark.contract

OTTER = "The weight of the Otter is 43 grams."
HERON = "The weight of the Heron is 71 grams."
KEY = "sk-of-the-tests"


def asking(question: str, *texts: str, **limits: int) -> ReaderRequest:
    passages = [Passage(number=n, document="d.md", title="", text=text) for n, text in enumerate(texts, 1)]
    return ReaderRequest(question=question, passages=passages, limits=ReaderLimits(**limits))


WEIGHT = asking("What is the weight of the Otter?", HERON, OTTER)


async def heard(reader: OpenAiReader, request: ReaderRequest, *, seconds: float = 20) -> tuple[list[str], ReaderResult]:
    *deltas, result = [event async for event in reader.read(request, model="reader", seconds=seconds)]
    assert isinstance(result, ReaderResult)
    texts = [delta.text for delta in deltas if isinstance(delta, ReaderDelta)]
    assert "".join(texts) == result.answer
    return texts, result


@pytest.fixture(scope="module")
def llama(tiny_model: Path) -> Iterator[str]:
    """The base URL of llama.cpp's own server."""
    asked = {"model": str(tiny_model), "name": "tiny", "context": 2048, "slots": 2, "threads": 2}
    process = subprocess.Popen(
        [prepare_llama(Layout.from_environment(), print), "-I", str(SERVE), json.dumps(asked)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"LLAMA_API_KEY": KEY},
    )  # fmt: skip
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())["address"] + "/v1"
    process.kill()
    process.wait()


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., OpenAiReader]]:
    readers: list[OpenAiReader] = []

    def reader(url: str, breaker: Breaker | None = None, **terms: object) -> OpenAiReader:
        readers.append(OpenAiReader(RemoteModel(url, "tiny"), Terms(**{"api_key": KEY, **terms}), breaker))
        return readers[-1]

    yield reader
    for one in readers:
        await one.close()


class TestARealServer:
    async def test_an_answer_is_streamed_checked_and_counted(self, llama, opened, metric):
        reader = opened(llama, price_read=2.0, price_written=10.0)
        texts, result = await heard(reader, WEIGHT)
        assert len(texts) > 5
        assert result.answer == f"{OTTER} [2]"
        assert [(one.passage, one.start, one.end) for one in result.supports] == [(2, 0, len(OTTER))]
        read, written = result.usage.prompt_tokens, result.usage.completion_tokens
        assert read > 50 > written > 5
        assert metric("nexus_model_tokens_total", model="tiny", kind="read") == read
        assert metric("nexus_model_cost_usd_total", model="tiny") == pytest.approx((2 * read + 10 * written) / 1e6)

    async def test_what_is_made_up_is_marked_and_taken_back(self, llama, opened):
        _, result = await heard(opened(llama), asking("What is the weight of the Ibex?", OTTER))
        assert result.abstained
        assert "[unsupported]" in result.answer

    async def test_it_is_ready(self, llama, opened):
        await opened(llama).check()

    async def test_a_wrong_key_is_named(self, llama, opened):
        with pytest.raises(ReaderFailed, match="NEXUS_MODEL_API_KEY"):
            await heard(opened(llama, api_key="wrong"), WEIGHT)

    async def test_a_prompt_beyond_the_context_is_cut_to_it_or_refused(self, llama, opened):
        reader = opened(llama, context=900)
        request = asking("What is the weight of the Otter?", OTTER, *[HERON * 20] * 8, max_answer_tokens=20)
        assert 400 < (await heard(reader, request))[1].usage.prompt_tokens < 900
        with pytest.raises(InvalidRequest, match="NEXUS_MODEL_CONTEXT"):
            await heard(reader, asking("weight " * 2000, OTTER))

    async def test_a_context_said_too_large_is_the_servers_error_in_its_words(self, llama, opened):
        with pytest.raises(ReaderFailed, match="exceeds the available context size"):
            await heard(opened(llama, context=100_000), asking("weight " * 6000, OTTER))

    async def test_leaving_ends_the_work(self, llama, opened):
        reader = opened(llama)
        for _ in range(4):  # twice as many as it has slots: if they went on, the last question would wait
            events = reader.read(asking("Count as far as you can.", OTTER), model="reader", seconds=20)
            await anext(events)
            await events.aclose()
        started = time.monotonic()
        await heard(reader, WEIGHT)
        assert time.monotonic() - started < 3


# Servers that misbehave: a real socket, with what is said on it written by hand.

CHUNK = 'data: {"choices":[{"delta":{"content":"The weight of the Otter is 43 grams"}}]}\n\n'
END = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
OK = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def refusing(status: int, body: str = '{"error":{"message":"not now"}}', head: str = "") -> str:
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{head}\r\n{body}"


@asynccontextmanager
async def serving(*replies: str, hang: bool = False) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that gives one reply after the other, and the last again and again; with `hang` it then says no more.
    Gives its base URL and a list that grows with each question."""
    asked: list[int] = []
    ended = asyncio.Event()

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length")
        )
        await reader.readexactly(length)
        asked.append(1)
        writer.write(replies[min(len(asked), len(replies)) - 1].encode())
        await writer.drain()
        if hang:
            await ended.wait()
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", asked
    ended.set()
    server.close()
    await server.wait_closed()


class TestServersThatFail:
    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(openai_reader, "FIRST_WAIT_SECONDS", 0.01)

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
    async def test_what_may_pass_is_tried_again(self, opened, metric, status):
        async with serving(refusing(status), OK + CHUNK + END) as (url, asked):
            _, result = await heard(opened(url), WEIGHT)
        assert (result.answer, len(asked)) == (f"{OTTER.rstrip('.')} [2]", 2)
        assert metric("nexus_model_retries_total", model="tiny") == 1

    async def test_the_server_says_how_long_to_wait(self, opened):
        async with serving(refusing(429, head="retry-after: 0.4\r\n"), OK + CHUNK + END) as (url, _):
            started = time.monotonic()
            await heard(opened(url), WEIGHT)
        assert time.monotonic() - started > 0.4

    async def test_after_three_tries_it_is_given_up_with_the_reason(self, opened, metric):
        async with serving(refusing(503)) as (url, asked):
            with pytest.raises(ReaderFailed, match="503: not now"):
                await heard(opened(url), WEIGHT)
        assert len(asked) == 3
        assert metric("nexus_model_failures_total", model="tiny") == 1

    async def test_what_will_not_pass_is_not_tried_again(self, opened):
        async with serving(refusing(404, '{"error":"model tiny not found"}')) as (url, asked):
            with pytest.raises(ReaderFailed, match=r"has no tiny.*model tiny not found"):
                await heard(opened(url), WEIGHT)
        assert len(asked) == 1

    async def test_a_server_that_breaks_off_is_never_asked_the_same_again(self, opened):
        async with serving(OK + CHUNK) as (url, asked):
            reader = opened(url)
            events = reader.read(WEIGHT, model="reader", seconds=20)
            assert isinstance(await anext(events), ReaderDelta)
            with pytest.raises(ReaderFailed, match="broke off in the middle"):
                await anext(events)
        assert len(asked) == 1

    async def test_an_error_in_the_stream_is_passed_on(self, opened):
        async with serving(OK + CHUNK + 'data: {"error":{"message":"out of memory"}}\n\n') as (url, _):
            with pytest.raises(ReaderFailed, match="out of memory"):
                await heard(opened(url), WEIGHT)

    @pytest.mark.parametrize("said", ["", OK, OK + CHUNK])
    async def test_a_server_that_falls_silent_is_given_up(self, opened, said):
        async with serving(said, hang=True) as (url, asked):
            with pytest.raises(ReaderFailed, match=r"silent for 0\.3 s"):
                await heard(opened(url, silence_seconds=0.3), WEIGHT)
        assert len(asked) == 1

    async def test_an_answer_that_takes_too_long_is_given_up(self, opened):
        async with serving(OK + CHUNK, hang=True) as (url, _):
            with pytest.raises(ReaderFailed, match=r"within 0\.2 seconds"):
                await heard(opened(url), WEIGHT, seconds=0.2)

    async def test_a_server_that_is_not_there_is_named_and_then_left_alone(self, opened):
        reader = opened("http://127.0.0.1:9/v1", Breaker(failures=2, seconds=30))
        for _ in range(2):
            with pytest.raises(ReaderFailed, match=r"127\.0\.0\.1:9"):
                await heard(reader, WEIGHT)
        with pytest.raises(Busy) as refused:
            await heard(reader, WEIGHT)
        assert refused.value.retry_after
        with pytest.raises(Unavailable, match="cannot be reached"):
            await reader.check()

    async def test_usage_that_is_not_said_is_estimated(self, opened):
        async with serving(OK + CHUNK + END) as (url, _):
            _, result = await heard(opened(url), WEIGHT)
        assert result.usage.prompt_tokens > 50
        assert 5 < result.usage.completion_tokens < 20
