"""How fast a language model of some shape is here, and what the way through Triton costs beside llama.cpp alone.

    python -m tests.load.language_models llama-3.2-1b          a shape by name; --help lists them
    python -m tests.load.language_models --model path.gguf     a real model

A shape is a file of a model's exact sizes and quantization with random weights: nothing is downloaded, it says nothing
sensible, and takes the same memory and time for each token. Each question is asked of llama.cpp's own server directly,
and through Triton and its reader, with the same messages, by one client and by four; no prompt is read twice.
"""

import argparse
import asyncio
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
from gguf import GGMLQuantizationType, GGUFWriter, TokenType
from gguf.quants import quant_shape_to_byte_shape
from grounding.chat_stream import parse_line
from grounding.messages import ABSTENTION, INSTRUCTIONS, Shown, chat_messages
from nexus_serving.layout import Layout
from nexus_serving.llama.environment import prepare_llama
from nexus_serving.llama.files import read_about
from nexus_serving.llama.process import Address, LlamaServer, Serving
from opskit.contracts.reader import Passage, ReaderDelta, ReaderLimits, ReaderRequest, ReaderResult
from rag.adapters.triton import open_triton
from rag.adapters.triton_reader import TritonReader
from rich.console import Console
from rich.table import Table
from tokenizers.pre_tokenizers import ByteLevel

from tests.e2e.waiting import until

ROOT = Path(__file__).resolve().parents[2]
ANSWER_TOKENS = 48
PASSAGE_WORDS = 130
PASSAGES = 2


@dataclass(frozen=True)
class Shape:
    """The sizes of a Llama, and how its matrices are kept."""

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    vocabulary: int
    kept: GGMLQuantizationType = GGMLQuantizationType.Q4_K


SHAPES = {
    "smollm2-360m": Shape(32, 960, 2560, 15, 5, 49152, GGMLQuantizationType.Q8_0),
    "llama-3.2-1b": Shape(16, 2048, 8192, 32, 8, 128256),
    "llama-2-7b": Shape(32, 4096, 11008, 32, 32, 32000),
}


@dataclass(frozen=True)
class Timed:
    """One answer: seconds to its first words, to its end, and how many tokens it has."""

    first: float
    whole: float
    tokens: int


Ask = Callable[[ReaderRequest], Awaitable[Timed]]


def write_shape(shape: Shape, target: Path) -> None:
    """A model file of random weights."""
    random = np.random.default_rng(1)
    writer = GGUFWriter(str(target), "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(shape.vocabulary)
    _add_words(writer, shape.vocabulary)

    def matrix(name: str, rows: int, columns: int) -> None:
        size = quant_shape_to_byte_shape((rows, columns), shape.kept)
        raw = random.integers(0, 256, size, np.uint8)
        # Scales as random bytes would be infinite here and there: these places are made small and positive.
        raw = _with_small_scales(raw, shape.kept)
        writer.add_tensor(name, raw, raw_dtype=shape.kept)

    kv = shape.width // shape.heads * shape.kv_heads
    matrix("token_embd.weight", shape.vocabulary, shape.width)
    writer.add_tensor("output_norm.weight", np.ones(shape.width, np.float32))
    for number in range(shape.layers):
        for name, rows, columns in (
            ("attn_q", shape.width, shape.width), ("attn_k", kv, shape.width), ("attn_v", kv, shape.width),
            ("attn_output", shape.width, shape.width), ("ffn_gate", shape.inner, shape.width),
            ("ffn_up", shape.inner, shape.width), ("ffn_down", shape.width, shape.inner),
        ):  # fmt: skip
            matrix(f"blk.{number}.{name}.weight", rows, columns)
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{number}.{norm}.weight", np.ones(shape.width, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _with_small_scales(raw: np.ndarray, kept: GGMLQuantizationType) -> np.ndarray:
    """`raw` is [rows, bytes]; a block of Q8_0 begins with one half-precision scale, one of Q4_K with two."""
    block, scales = {GGMLQuantizationType.Q8_0: (34, 1), GGMLQuantizationType.Q4_K: (144, 2)}[kept]
    blocks = raw.reshape(raw.shape[0], -1, block)
    blocks[:, :, : 2 * scales] = np.full(scales, 1e-4, np.float16).view(np.uint8)
    return raw


def _add_words(writer: GGUFWriter, count: int) -> None:
    """A vocabulary in which each letter is a token, and the rest are words that nobody uses."""
    letters = sorted(ByteLevel.alphabet())
    tokens = ["<s>", "</s>", *letters, "th", *(f"unused{number}" for number in range(count - len(letters) - 3))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL] * 2 + [TokenType.NORMAL] * (count - 2))
    writer.add_token_merges(["t h"])  # llama.cpp insists on some
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(False)
    writer.add_chat_template("{% for m in messages %}{{ m['content'] }}\n{% endfor %}")


def question(number: int) -> ReaderRequest:
    """One that shares nothing with the others from its first passage on."""
    text = " ".join(f"w{(number * 7919 + place * 104729) % 9973}" for place in range(PASSAGE_WORDS // 3))
    passages = [Passage(number=n, document="d", title="", text=f"{n}{text}") for n in range(1, PASSAGES + 1)]
    prompt = {"instructions": f"{number}: {INSTRUCTIONS}", "abstention": ABSTENTION}
    limits = ReaderLimits(max_answer_tokens=ANSWER_TOKENS)
    return ReaderRequest(question="Why?", passages=passages, limits=limits, prompt=prompt)


async def directly(address: Address, client: httpx.AsyncClient, asked: ReaderRequest) -> Timed:
    messages = chat_messages(
        asked.question,
        [Shown(one.number, one.text, one.title, one.heading) for one in asked.passages],
        instructions=asked.prompt["instructions"],
        abstention=ABSTENTION,
    )
    body = {
        "messages": messages,
        "max_tokens": ANSWER_TOKENS,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    began, first, tokens = time.perf_counter(), 0.0, 0
    headers = {"authorization": f"Bearer {address.key}"}
    async with client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as response:
        async for line in response.aiter_lines():
            if (chunk := parse_line(line)) is not None:
                if chunk.text and not first:
                    first = time.perf_counter() - began
                tokens = chunk.completion_tokens or tokens
    return Timed(first, time.perf_counter() - began, tokens)


async def through_triton(reader: TritonReader, asked: ReaderRequest) -> Timed:
    began, first, tokens = time.perf_counter(), 0.0, 0
    async for event in reader.read(asked, seconds=600):
        if isinstance(event, ReaderDelta) and not first:
            first = time.perf_counter() - began
        if isinstance(event, ReaderResult):
            tokens = event.usage.completion_tokens
    return Timed(first, time.perf_counter() - began, tokens)


async def measured(ask: Ask, questions: Sequence[ReaderRequest], clients: int) -> tuple[list[Timed], float]:
    """Answers to all questions by so many clients at once, and the seconds it took."""
    waiting = iter(questions)
    found: list[Timed] = []

    async def client() -> None:
        for asked in waiting:
            found.append(await ask(asked))

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return found, time.perf_counter() - began


@contextmanager
def triton(model: Path, layout: Layout) -> Iterator[int]:
    """Triton with the model as its reader; gives its gRPC port."""
    with tempfile.TemporaryDirectory() as state:
        http, grpc, metrics = (str(free_port()) for _ in range(3))
        settings = {"NEXUS_MODEL": str(model), "NEXUS_STATE_DIR": state, "NEXUS_MODEL_CONTEXT": "2048"}
        environment = {**os.environ, **settings, "NEXUS_CACHE_DIR": str(layout.cache)}
        launch = [sys.executable, str(ROOT / "serving" / "launch.py")]
        command = [*launch, "--http-port", http, "--grpc-port", grpc, "--metrics-port", metrics]
        with (Path(state) / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            until(lambda: _ready(http), "Triton is ready", seconds=300, every=0.5)
            yield int(grpc)
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ready(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/v2/health/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


async def compare(model: Path, layout: Layout, count: int) -> dict[str, dict[str, float]]:
    """First words and tokens a second, for each way and number of clients; and the server's memory."""
    numbers = itertools.count()
    rows: dict[str, dict[str, float]] = {}
    server = LlamaServer(prepare_llama(layout, print), Serving(str(model), 2048, 4, layout.model_threads))
    address = server.address()
    async with httpx.AsyncClient(base_url=f"http://{address.host}:{address.port}", timeout=600) as client:
        rows |= await _rows("llama.cpp alone", lambda asked: directly(address, client, asked), numbers, count)
        rows["memory"] = {"GiB": psutil.Process(server.pid).memory_info().rss / 1024**3}
    server.close()
    with triton(model, layout) as port:
        connection = open_triton(f"127.0.0.1:{port}")
        reader = TritonReader(connection)
        rows |= await _rows("through Triton", lambda asked: through_triton(reader, asked), numbers, count)
        await connection.close()
    return rows


async def _rows(name: str, ask: Ask, numbers: Iterator[int], count: int) -> dict[str, dict[str, float]]:
    await ask(question(next(numbers)))  # warm
    rows = {}
    for clients in (1, 4):
        found, seconds = await measured(ask, [question(next(numbers)) for _ in range(count * clients)], clients)
        rows[f"{name}, {clients} at once"] = {
            "first words, s (p50)": statistics.median(one.first for one in found),
            "tokens/s, all together": sum(one.tokens for one in found) / seconds,
            "tokens/s of an answer (p50)": statistics.median(
                (one.tokens - 1) / (one.whole - one.first) for one in found if one.tokens > 1
            ),
        }
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", nargs="?", choices=SHAPES, default="smollm2-360m")
    parser.add_argument("--model", type=Path, help="measure this file instead")
    parser.add_argument("--questions", type=int, default=4, help="for each client (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "bench-results" / "language-models.json")
    asked = parser.parse_args()
    layout = Layout.from_environment()
    console = Console(width=None if sys.stdout.isatty() else 120)
    with tempfile.TemporaryDirectory(dir=layout.cache) as folder:
        model = asked.model or Path(folder) / f"{asked.shape}.gguf"
        if asked.model is None:
            console.print(f"Writing a file of the shape of {asked.shape}")
            write_shape(SHAPES[asked.shape], model)
        about = read_about(model)
        console.print(
            f"{model.name}: {model.stat().st_size / 1e9:.2f} GB, {about.bytes_per_token / 1024:.0f} KiB a token"
        )
        rows = asyncio.run(compare(model, layout, asked.questions))
    table = Table(title=f"{model.stem} on {layout.model_threads} threads", title_justify="left")
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    for name in ("", *names):
        table.add_column(name)
    for way, row in rows.items():
        table.add_row(way, *(f"{row[name]:.3g}" if name in row else "" for name in names))
    console.print(table)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps({model.stem: rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
