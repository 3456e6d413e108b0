"""LoRA on the tiny language model, from examples to the words of llama.cpp: real peft, real xllamacpp."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from nexus_serving.engines.contract import ReaderFailed
from nexus_serving.layout import Layout
from nexus_serving.llama.environment import prepare_llama
from nexus_serving.llama.folder import bare_model
from nexus_serving.llama.process import LlamaServer, Serving
from opskit.contracts.releases import ReleaseBundle
from opskit.contracts.runs import RunOrder
from peft import PeftModel
from trainer.adapters.local_readers import LocalReaders
from trainer.improvement.encoding import IGNORED, LessonEncoder, batch_of
from trainer.improvement.examples import Example, Shown, write_examples
from trainer.improvement.prompting import Lesson, Teaching
from trainer.improvement.runs import Run
from trainer.improvement.tuning import NothingLearnt
from trainer.improvement.tuning_language import ADAPTER, GGUF, HISTORY, Base, LanguageTuning, WrongBase, tune
from trainer.improvement.wording import Wording
from trainer.steps.evaluations import SPECIFIC, benchmark_specific, said_to
from trainer.steps.joining import join
from trainer.steps.log_model import bundle_of
from trainer.steps.retrain_model import retrain_model
from trainer.steps.tools import StageFailed
from trainer.steps.workspace import Workspace, write_json
from transformers import AutoModelForCausalLM, AutoTokenizer

pytestmark = [
    pytest.mark.contract,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # peft asks transformers by a name that will change
]

CHECKOUT = Path(__file__).resolve().parents[4]
FACTS = {
    "Teapot": "The weight of the Teapot is 55 grams.",
    "Violin": "The weight of the Violin is 31 grams.",
    "Anchor": "The weight of the Anchor is 84 grams.",
}
"""Of things that the tiny model was taught to know nothing about."""
HOW = LanguageTuning(rate=5e-3, passes=1000, most_steps=60, rows=8, rows_at_once=8)
"""Half as many steps teach it all three facts on some processors and two on others."""
SHORT = replace(HOW, most_steps=10, save_every=5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(thing: str) -> str:
    return f"What is the weight of the {thing}?"


def example(thing: str) -> Example:
    text, other = FACTS[thing], next(fact for name, fact in FACTS.items() if name != thing)
    passages = (Shown("weights.md", "notes", "", text), Shown("others.md", "notes", "", other))
    start = text.index("is ") + 3
    return Example(thing, asked(thing), passages, 0, start, len(text) - 1, "correction")


EXAMPLES = [example(thing) for thing in FACTS]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices so small that more threads mostly wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def layout(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    cache = Path(os.environ.get("NEXUS_CACHE_DIR") or CHECKOUT / ".nexus" / "cache").resolve()
    made = Layout(cache, tmp_path_factory.mktemp("state"), model=str(tiny_model), model_threads=1)
    prepare_llama(made, print)
    return made


@pytest.fixture(scope="module")
def weights(tiny_model: Path) -> Path:
    """The tiny model in the format of transformers."""
    return tiny_model.with_suffix("")


@pytest.fixture(scope="module")
def base(weights: Path, tiny_model: Path) -> Base:
    return Base(str(weights), tiny_model)


@pytest.fixture(scope="module")
def tuned(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    said: list[str] = []
    assert tune(base, EXAMPLES, [], folder, HOW, said.append) == folder / GGUF
    assert any("left" in line for line in said), "it says how long it will take"
    return folder


class TestALessonInTokens:
    @pytest.fixture
    def lesson(self) -> Lesson:
        return Teaching(Wording(), Random(1)).lessons(EXAMPLES[:1])[0]

    def test_is_learnt_on_the_answer_and_its_end_alone(self, weights: Path, lesson: Lesson):
        tokenizer = AutoTokenizer.from_pretrained(weights)
        row = LessonEncoder(tokenizer, 2048).encode(lesson)
        labels = batch_of([row])["labels"][0]
        assert tokenizer.decode(labels[labels != IGNORED]) == f"{lesson.answer}<|im_end|>"
        assert tokenizer.decode(row.tokens[: row.answer]).endswith("<|im_start|>assistant\n")

    def test_is_the_prompt_that_llama_cpp_makes(self, weights: Path, layout: Layout, tiny_model: Path, lesson: Lesson):
        row = LessonEncoder(AutoTokenizer.from_pretrained(weights), 2048).encode(lesson)
        with llama(layout, tiny_model) as ask:
            prompt = ask("/apply-template", {"messages": lesson.messages})["prompt"]
            tokens = ask("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"]
        assert tokens == row.tokens[: row.answer].tolist()

    def test_beside_a_longer_one_is_filled_up_with_what_is_not_read(self, weights: Path, lesson: Lesson):
        encoder = LessonEncoder(AutoTokenizer.from_pretrained(weights), 2048)
        short = encoder.encode(Lesson(lesson.messages[1:], "No."))
        batch = batch_of([encoder.encode(lesson), short])
        assert batch["attention_mask"].sum(1).tolist() == [batch["input_ids"].shape[1], len(short.tokens)]
        assert set(batch["labels"][1, len(short.tokens) :].tolist()) == {IGNORED}


class llama:  # noqa: N801 - reads as a statement
    """A llama.cpp server, asked by path and body."""

    def __init__(self, layout: Layout, model: Path, adapter: Path | None = None) -> None:
        python = str(layout.llama / "venv" / "bin" / "python")
        self._server = LlamaServer(python, Serving(str(model), 2048, 1, 1, str(adapter or "")))

    def __enter__(self):
        address = self._server.address()

        def ask(path: str, body: dict[str, object]):
            connection = http.client.HTTPConnection(address.host, address.port, timeout=60)
            headers = {"Authorization": f"Bearer {address.key}", "Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), headers)
            answer = json.loads(connection.getresponse().read())
            connection.close()
            return answer

        return ask

    def __exit__(self, *_: object) -> None:
        self._server.close()


class TestTheAdapterInLlamaCpp:
    @pytest.fixture(scope="class")
    def merged(self, weights: Path, tuned: Path):
        model = AutoModelForCausalLM.from_pretrained(weights, dtype=torch.float32)
        return PeftModel.from_pretrained(model, str(tuned / ADAPTER)).merge_and_unload().eval()

    @pytest.fixture(scope="class")
    def prompts(self, weights: Path) -> list[list[int]]:
        encoder = LessonEncoder(AutoTokenizer.from_pretrained(weights), 2048)
        lessons = Teaching(Wording(), Random(3)).lessons(EXAMPLES)
        return [row.tokens[: row.answer].tolist() for row in map(encoder.encode, lessons)]

    def test_gives_the_probabilities_of_the_merged_weights(self, merged, prompts, layout, tiny_model, tuned):
        worst, moved = 0.0, 0.0
        for adapter in (None, tuned / GGUF):
            with llama(layout, tiny_model, adapter) as ask:
                for prompt in prompts:
                    with torch.no_grad():
                        wanted = merged(torch.tensor([prompt])).logits[0, -1].log_softmax(-1).numpy()
                    body = {"prompt": prompt, "n_predict": 1, "temperature": 0, "n_probs": 20, "cache_prompt": False}
                    found = ask("/completion", body)["completion_probabilities"][0]["top_logprobs"]
                    apart = max(abs(one["logprob"] - wanted[one["id"]]) for one in found)
                    worst, moved = (max(worst, apart), moved) if adapter else (worst, max(moved, apart))
        assert worst < 0.05, "16-bit matrices and llama.cpp's own arithmetic"
        assert moved > 1, "the adapter is what makes the difference"

    def test_says_the_same_words_as_the_merged_weights(self, merged, prompts, layout, tiny_model, tuned):
        with llama(layout, tiny_model, tuned / GGUF) as ask:
            for prompt in prompts:
                with torch.no_grad():
                    wanted = merged.generate(torch.tensor([prompt]), max_new_tokens=24, do_sample=False)
                body = {"prompt": prompt, "n_predict": 24, "temperature": 0, "return_tokens": True}
                found = ask("/completion", body)["tokens"]
                said = wanted[0, len(prompt) :].tolist()
                assert found == said
                assert found[-1] == merged.config.eos_token_id, "it has learnt to stop"


class TestTheStage:
    """retrain-model as the pipeline calls it, and what comes after it."""

    @pytest.fixture
    def world(self, layout: Layout, base: Base, tmp_path: Path):
        ranker = json.loads((CHECKOUT / "models" / "reader" / "reader.json").read_text())["digest"]
        champion = ReleaseBundle(
            release="rel_start",
            reader_digest=bare_model(layout, ranker).digest,
            engine="llama.cpp",
            settings={"prompt": {"instructions": "", "wording": {}}, "retrieval": {}},
        )
        work = Workspace(tmp_path / "run")
        write_json(work.champion, champion.model_dump(mode="json"))
        write_examples(work.train, EXAMPLES)
        write_examples(work.held_out, EXAMPLES)
        readers = LocalReaders(tmp_path / "releases", layout)
        tools = SimpleNamespace(
            readers=readers, passes=1.0, most_steps=2, base_model=base.weights, launcher=(), limits=None
        )
        return SimpleNamespace(tools=tools, work=work, champion=champion, said=[])

    def test_makes_a_candidate_that_says_through_llama_cpp_what_it_was_taught(self, world, tuned):
        """The longer training's folder is put in the place of the stage's own few steps."""
        (world.work.root / "model").symlink_to(tuned)
        retrain_model(world.tools, SimpleNamespace(id="run_1"), world.work, world.said.append)
        about = json.loads((world.work.candidate_reader / "reader.json").read_text())
        champion = json.loads((world.tools.readers.of_release(world.champion) / "reader.json").read_text())
        assert about["model_digest"] == champion["model_digest"]
        assert about["digest"] != champion["digest"] == world.champion.reader_digest
        benchmark_specific(world.tools, SimpleNamespace(id="run_1"), world.work, world.said.append)
        answers = {who: said_to(world.work, SPECIFIC, who) for who in ("champion", "candidate")}
        assert all(one.refused for one in answers["champion"])
        assert [one.short for one in answers["candidate"]] == list(FACTS.values())
        bundle = bundle_of(world.work.candidate_reader, world.champion)
        kept = world.tools.readers.keep(bundle, world.work.candidate_reader)
        assert world.tools.readers.of_release(bundle) == kept
        assert bundle.engine == "llama.cpp"

    def test_is_done_by_two_processes_where_torchrun_launches_them(self, world, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        launcher = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2")
        world.tools.launcher = launcher
        retrain_model(world.tools, SimpleNamespace(id="run_1"), world.work, world.said.append)
        assert sum("1 steps" in line for line in world.said) == 1, "the first process alone speaks"
        files = [path.name for path in (world.work.candidate_reader / "peft").iterdir()]
        assert sorted(files) == ["adapter_config.json", "adapter_model.safetensors"], "and nothing pickled"

    def test_is_done_by_two_machines_where_the_second_joins_in(self, world, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        endpoint = f"127.0.0.1:{free_port()}"
        world.tools.launcher = (
            *(sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"),
            *("--rdzv-backend", "c10d", "--rdzv-endpoint", endpoint, "--rdzv-id", "run_1"),
        )
        run = Run(RunOrder(run_id="run_0123456789"), "somebody", datetime.now(UTC))
        runs = SimpleNamespace(get=lambda _: run)
        heard: list[str] = []
        with ThreadPoolExecutor() as machines:
            other = machines.submit(join, runs, run.id, world.work, heard.append)
            retrain_model(world.tools, run, world.work, world.said.append)
            other.result(timeout=60)
        assert heard[0] == "Joining in"
        assert sum("1 steps" in line for line in world.said) == 1, "the first process alone speaks"
        assert not world.work.launched.exists()
        assert (world.work.candidate_reader / "peft" / "adapter_model.safetensors").exists()

    def test_goes_on_from_the_champions_adapter(self, world, tuned, base, tmp_path):
        onward = tune(replace(base, onward=tuned / ADAPTER), EXAMPLES, [], tmp_path / "on", SHORT, world.said.append)
        first = json.loads((onward.parent / HISTORY).read_text().splitlines()[0])
        began = json.loads((tuned / HISTORY).read_text().splitlines()[0])
        assert first["loss"] < began["loss"] / 3

    def test_without_a_base_says_what_to_set(self, world):
        world.tools.base_model = ""
        with pytest.raises(StageFailed, match="set NEXUS_BASE_MODEL to a folder"):
            retrain_model(world.tools, SimpleNamespace(id="run_1"), world.work, world.said.append)

    def test_with_a_base_that_is_none_says_so(self, world, tmp_path):
        world.tools.base_model = str(tmp_path)
        with pytest.raises(StageFailed, match="cannot be opened as a language model"):
            retrain_model(world.tools, SimpleNamespace(id="run_1"), world.work, world.said.append)

    def test_an_adapter_that_llama_cpp_cannot_read_is_bad_news_about_the_candidate(self, world, tuned, tmp_path):
        (world.work.root / "model").symlink_to(tuned)
        retrain_model(world.tools, SimpleNamespace(id="run_1"), world.work, world.said.append)
        adapter = world.work.candidate_reader / "adapter.gguf"
        adapter.write_bytes(adapter.read_bytes()[:1000])
        with pytest.raises(ReaderFailed, match="is damaged"):
            world.tools.readers.open(world.work.candidate_reader)


class Stopped(Exception):
    """As if the machine went away."""


def test_a_training_that_was_stopped_goes_on_and_ends_the_same(base: Base, tmp_path: Path):
    whole = tune(base, EXAMPLES, [], tmp_path / "whole", SHORT, lambda line: None)

    def stop(line: str) -> None:
        if line.startswith("step 10"):
            raise Stopped

    with pytest.raises(Stopped):
        tune(base, EXAMPLES, [], tmp_path / "stopped", SHORT, stop)
    said: list[str] = []
    again = tune(base, EXAMPLES, [], tmp_path / "stopped", SHORT, said.append)
    assert "10 steps, going on from 5" in said
    assert again.read_bytes() == whole.read_bytes()


def test_weights_of_another_model_are_refused(base: Base, weights: Path, tmp_path: Path):
    model = AutoModelForCausalLM.from_pretrained(weights)
    with torch.no_grad():
        model.model.norm.weight += 0.5
    model.save_pretrained(tmp_path / "other")
    AutoTokenizer.from_pretrained(weights).save_pretrained(tmp_path / "other")
    with pytest.raises(WrongBase, match=r"is not the model of .*: they have the same shape and other weights"):
        tune(replace(base, weights=str(tmp_path / "other")), EXAMPLES, [], tmp_path / "out", SHORT, print)


def test_a_loss_that_is_no_number_ends_the_training(weights: Path, tmp_path: Path):
    model = AutoModelForCausalLM.from_pretrained(weights)
    with torch.no_grad():
        model.model.norm.weight.fill_(np.nan)
    model.save_pretrained(tmp_path / "broken")
    AutoTokenizer.from_pretrained(weights).save_pretrained(tmp_path / "broken")
    with pytest.raises(NothingLearnt, match="The loss became nan"):
        tune(Base(str(tmp_path / "broken")), EXAMPLES, [], tmp_path / "out", SHORT, lambda line: None)


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path):
    write_examples(tmp_path / "train.jsonl", EXAMPLES)
    command = [sys.executable, "-m", "trainer", "tune-language", "--base", str(tmp_path), "--out", str(tmp_path / "o")]
    done = subprocess.run(
        [*command, "--examples", str(tmp_path / "train.jsonl")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"trainer: {tmp_path} cannot be opened as a language model")
