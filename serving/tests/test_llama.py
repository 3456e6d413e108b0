"""llama.cpp's real server with the tiny model, and the reader on it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nexus_serving.choice import GgufFile
from nexus_serving.engines.contract import Delta, InvalidRequest, Passage, ReaderFailed, ReaderRequest, Result
from nexus_serving.layout import Layout, SetUpFailed
from nexus_serving.llama import files
from nexus_serving.llama.environment import prepare_llama
from nexus_serving.llama.process import LlamaServer, LoadFailed, Serving, check_loads
from nexus_serving.llama.reader import GenerativeReader

pytestmark = [pytest.mark.contract, pytest.mark.timeout(300)]

CHECKOUT = Path(__file__).resolve().parents[2]
OTTER = "The weight of the Otter is 43 grams."
HERON = "The weight of the Heron is 71 grams."
COUNTING = "Count as far as you can."


@pytest.fixture(scope="module")
def layout() -> Layout:
    cache = os.environ.get("NEXUS_CACHE_DIR") or CHECKOUT / ".nexus" / "cache"
    return Layout(Path(cache).resolve(), CHECKOUT / ".nexus", model_threads=2)


@pytest.fixture(scope="module")
def python(layout: Layout) -> str:
    return prepare_llama(layout, print)


@pytest.fixture(scope="module")
def reader(python: str, tiny_model: Path) -> Iterator[GenerativeReader]:
    reader = GenerativeReader(LlamaServer(python, Serving(str(tiny_model), 1024, 4, 2)))
    yield reader
    reader.close()


def asking(question: str, *texts: str, **more: object) -> ReaderRequest:
    return ReaderRequest(question, tuple(Passage(number, text) for number, text in enumerate(texts, 1)), **more)


def heard(reader: GenerativeReader, request: ReaderRequest) -> tuple[list[str], Result]:
    *deltas, result = reader.answer(request)
    assert isinstance(result, Result)
    assert result.answer == "".join(delta.text for delta in deltas if isinstance(delta, Delta))
    return [delta.text for delta in deltas], result


class TestAnswers:
    def test_they_are_streamed_with_checked_citations(self, reader: GenerativeReader):
        pieces, result = heard(reader, asking("What is the weight of the Otter?", HERON, OTTER))
        assert len(pieces) > 5
        assert result.answer == f"{OTTER} [2]"
        assert (result.supports[0].passage, result.supports[0].start, result.supports[0].end) == (2, 0, len(OTTER))
        assert result.prompt_tokens > 50
        assert result.completion_tokens > 5

    def test_a_citation_of_a_passage_that_was_not_shown_is_put_right(self, reader: GenerativeReader):
        assert heard(reader, asking("What is the weight of the Heron?", HERON))[1].answer == f"{HERON} [1]"

    def test_what_is_made_up_is_marked_and_taken_back(self, reader: GenerativeReader):
        _, result = heard(reader, asking("What is the weight of the Ibex?", OTTER))
        assert result.abstained
        assert "999 grams. [unsupported]" in result.answer
        assert result.answer.endswith("The documents I can search do not say.")

    def test_it_abstains_as_it_was_taught(self, reader: GenerativeReader):
        _, result = heard(reader, asking("What is the weight of the Teapot?", OTTER))
        assert (result.answer, result.abstained, result.supports) == (
            "The documents I can search do not say.",
            True,
            (),
        )

    def test_the_answer_has_a_budget(self, reader: GenerativeReader):
        assert heard(reader, asking(COUNTING, OTTER, max_answer_tokens=9))[1].completion_tokens == 9

    def test_eight_at_once_are_all_answered(self, reader: GenerativeReader):
        with ThreadPoolExecutor(8) as threads:
            asks = [asking("What is the weight of the Otter?", HERON, OTTER)] * 8
            answers = list(threads.map(lambda ask: heard(reader, ask)[1].answer, asks))
        assert answers == [f"{OTTER} [2]"] * 8


class TestTheContext:
    def test_the_last_passages_are_left_out_when_they_do_not_fit(self, reader: GenerativeReader):
        request = asking("What is the weight of the Otter?", OTTER, *[HERON * 20] * 8, max_answer_tokens=20)
        assert 500 < heard(reader, request)[1].prompt_tokens <= 1024 - 20

    def test_a_question_that_is_longer_is_refused_with_what_to_do(self, reader: GenerativeReader):
        with pytest.raises(InvalidRequest, match="NEXUS_MODEL_CONTEXT"):
            heard(reader, asking("weight " * 2000, OTTER))


class TestCancelling:
    def test_it_ends_the_work_within_a_moment(self, python: str, tiny_model: Path):
        """One slot, so that the next question waits for as long as the first is worked on."""
        reader = GenerativeReader(LlamaServer(python, Serving(str(tiny_model), 2048, 1, 2)))
        left = threading.Event()
        events = reader.answer(asking(COUNTING, *[HERON * 20] * 2, max_answer_tokens=400), left.is_set)
        assert isinstance(next(events), Delta)
        left.set()
        assert not any(isinstance(event, Result) for event in events)
        started = time.monotonic()
        heard(reader, asking("What is the weight of the Otter?", OTTER))
        assert time.monotonic() - started < 5
        reader.close()


class TestFailures:
    def test_a_server_that_dies_is_named_and_the_next_question_finds_a_new_one(self, python: str, tiny_model: Path):
        said: list[str] = []
        server = LlamaServer(python, Serving(str(tiny_model), 1024, 1, 2), said.append)
        reader = GenerativeReader(server)
        events = reader.answer(asking(COUNTING, OTTER))
        assert isinstance(next(events), Delta)
        os.kill(server.pid, signal.SIGSTOP)
        dying = threading.Timer(0.2, os.kill, (server.pid, signal.SIGKILL))
        dying.start()
        with pytest.raises(ReaderFailed, match="broke off"):
            list(events)
        assert heard(reader, asking("What is the weight of the Otter?", OTTER))[1].answer == f"{OTTER} [1]"
        assert any("starting it again" in line for line in said)
        reader.close()

    def test_it_does_not_outlive_who_started_it(self, python: str, tiny_model: Path):
        command = Serving(str(tiny_model), 256, 1, 1).command(python)
        started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert started.stdin is not None
        assert started.stdout is not None
        assert json.loads(started.stdout.readline())["address"].startswith("http://127.0.0.1:")
        started.stdin.close()
        assert started.wait(10) == 0


def damaged(tiny_model: Path, folder: Path, *, kind: str) -> Path:
    whole, path = tiny_model.read_bytes(), folder / f"{kind}.gguf"
    made = {
        "cut": whole[: len(whole) // 3],
        "junk": b"\x93NUMPY" + bytes(5000),
        "empty": b"",
        "unknown": whole.replace(b"llama", b"llamb"),
    }
    path.write_bytes(made[kind])
    return path


class TestFiles:
    @pytest.mark.parametrize(
        ("kind", "reason"), [("cut", "download it again"), ("junk", "no GGUF file"), ("empty", "no GGUF file")]
    )
    def test_a_damaged_file_is_named_before_anything_starts(
        self, layout: Layout, tiny_model: Path, tmp_path: Path, kind: str, reason: str
    ):
        with pytest.raises(SetUpFailed, match=reason):
            files.serving(damaged(tiny_model, tmp_path, kind=kind), layout, available=2**34)

    @pytest.mark.parametrize(
        ("kind", "reason"), [("cut", "corrupted or incomplete"), ("unknown", "unknown model arch")]
    )
    def test_what_llama_cpp_says_of_a_file_is_passed_on(
        self, python: str, tiny_model: Path, tmp_path: Path, kind: str, reason: str
    ):
        path = damaged(tiny_model, tmp_path, kind=kind)
        with pytest.raises(LoadFailed, match=rf"{path.name} cannot be loaded: .*{reason}"):
            check_loads(python, Serving(str(path), 256, 1, 1))

    def test_a_reader_on_a_damaged_file_fails_with_the_reason(self, python: str, tiny_model: Path, tmp_path: Path):
        path = damaged(tiny_model, tmp_path, kind="cut")
        with pytest.raises(ReaderFailed, match=r"cut\.gguf cannot be loaded: .*incomplete"):
            GenerativeReader(LlamaServer(python, Serving(str(path), 256, 1, 1)))

    def test_a_good_file_is_checked_once(self, layout: Layout, python: str, tiny_model: Path):
        said: list[str] = []
        fresh = Layout(layout.cache, layout.state)
        files.check(tiny_model, fresh, python, said.append)
        files.check(tiny_model, fresh, "/no/python", said.append)
        assert files.digest(tiny_model, fresh) == files.file_digest(tiny_model)

    def test_a_model_too_large_for_memory_says_what_it_needs(self, layout: Layout, tiny_model: Path):
        with pytest.raises(SetUpFailed, match=r"needs 0\.5 GiB of memory .* and 0\.1 GiB are free: choose a smaller"):
            files.serving(tiny_model, layout, available=2**27)

    def test_with_little_memory_fewer_answers_are_given_at_a_time(self, layout: Layout, tiny_model: Path):
        about = files.read_about(tiny_model)
        one = about.trained_context * about.bytes_per_token
        tight = tiny_model.stat().st_size + files.KEPT_FREE + 2 * one
        assert files.serving(tiny_model, layout, available=tight).slots == 2
        assert files.serving(tiny_model, layout, available=2**34).slots == 4

    def test_a_context_beyond_the_models_is_refused(self, tiny_model: Path, tmp_path: Path):
        with pytest.raises(SetUpFailed, match=r"trained for \(2048 tokens\)"):
            files.serving(tiny_model, Layout(tmp_path, tmp_path, model_context=4096), available=2**34)

    def test_a_file_that_is_not_there_is_named(self, layout: Layout):
        with pytest.raises(SetUpFailed, match=r"there is no such file"):
            files.model_path(GgufFile(Path("/models/none.gguf")), layout)

    def test_preparing_with_a_damaged_file_fails_in_one_line(self, layout: Layout, tiny_model: Path, tmp_path: Path):
        path = damaged(tiny_model, tmp_path, kind="cut")
        environment = {**os.environ, "NEXUS_CACHE_DIR": str(layout.cache), "NEXUS_MODEL": str(path)}
        command = [sys.executable, str(CHECKOUT / "serving" / "prepare.py")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("serving: cut.gguf is no GGUF file that can be read, or only a part of one")
        assert done.stderr.count("\n") == 1
