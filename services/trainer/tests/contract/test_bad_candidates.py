"""Real readers before the gate: each way in which a candidate can be bad is refused, and a good one passes.

The champion is the reader that the product comes with; the candidates are made from its files. Runs, stages and readers
are real; the sets of questions are samples of the gold set, and MLflow is left out.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
import pytest
from nexus_serving.digests import folder_digest
from nexus_serving.embedder_model import embedder_folder, prepare_embedder
from nexus_serving.engines.contract import Delta, Passage, ReaderRequest, Result
from nexus_serving.engines.opening import Reader
from nexus_serving.layout import SHIPPED_READER, Layout
from nexus_serving.reader_model import FILES, write_about
from onnx import TensorProto, helper, numpy_helper
from opskit.contracts.releases import ReleaseBundle, release_id
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable
from trainer.adapters.local_readers import LocalReaders
from trainer.adapters.sql_releases import SqlReleases
from trainer.adapters.sql_runs import SqlRuns
from trainer.gold import gold_questions
from trainer.improvement.evaluating import Question
from trainer.improvement.examples import Example, Shown, write_examples
from trainer.improvement.gate import Limits
from trainer.improvement.preparing import bare
from trainer.improvement.releases import State
from trainer.improvement.runs import Run, Status, next_stage
from trainer.improvement.stages import Stage
from trainer.pipeline import do_stage
from trainer.steps.tools import StageFailed, Tools
from trainer.steps.workspace import Workspace, write_json

pytestmark = [pytest.mark.contract, pytest.mark.timeout(300)]

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RUN = "run_0123456789"
SEED = 4
GOLD, SPECIFIC = (12, 4), 10
"""How many gold questions have an answer and have none, and how many others stand for those of the users."""
SMALL_SETS = tuple(replace(limit, fewest=8) for limit in Limits().figures)
SETTINGS = {"prompt": {"instructions": "Answer."}, "retrieval": {}}


# The questions


def cut(question: Question) -> Question | None:
    """With two short passages instead of four long ones, for speed: where there is an answer, the last has it word by
    word. None where that cannot be."""
    answers = question.answers
    others = [part(one, 0) for one in question.passages if not any(bare(a) in bare(one.text) for a in answers)]
    if not answers:
        return replace(question, passages=tuple(others[:2]))
    answering = [part(one, one.text.index(a)) for a in answers for one in question.passages if a in one.text]
    return replace(question, passages=(others[0], answering[0])) if answering and others else None


def part(passage: Shown, place: int) -> Shown:
    """The sentences around a place."""
    begin = passage.text.rfind(". ", 0, max(0, place - 60)) + 1
    end = passage.text.find(". ", place + 180)
    return replace(passage, text=passage.text[begin : end + 1 if end > 0 else None].strip())


def samples() -> tuple[list[Question], list[Example]]:
    """A gold set and a specific set that share no question."""
    every = [made for one in gold_questions() if (made := cut(one)) is not None]
    Random(SEED).shuffle(every)
    answered, hopeless = (iter([one for one in every if bool(one.answers) is wanted]) for wanted in (True, False))
    gold = [*islice(answered, GOLD[0]), *islice(hopeless, GOLD[1])]
    return gold, [example(one) for one in islice(answered, SPECIFIC)]


def example(question: Question) -> Example:
    text = question.passages[1].text
    answer = next(one for one in question.answers if one in text)
    place = text.index(answer)
    return Example(question.id, question.question, question.passages, 1, place, place + len(answer), "correction")


# The candidates


Spoil = Callable[[Path], None]


def truncated(folder: Path) -> None:
    with (folder / "model.onnx").open("r+b") as file:
        file.truncate(5_000_000)


def written(name: str, text: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).write_text(text)

    return spoil


def without(name: str) -> Spoil:
    return lambda folder: (folder / name).unlink()


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


def with_settings(**changes: object) -> Spoil:
    """Other settings, and the digest that goes with them."""

    def spoil(folder: Path) -> None:
        about = json.loads((folder / "reader.json").read_text())
        write_about(folder, {name: value for name, value in {**about, **changes}.items() if name != "digest"})

    return spoil


def without_setting(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        about = json.loads((folder / "reader.json").read_text())
        (folder / "reader.json").write_text(json.dumps({key: about[key] for key in about if key != name}))

    return spoil


def with_tokens(change: Callable[[dict[str, int]], Mapping[str, int]]) -> Spoil:
    """A tokenizer that gives other numbers to words."""

    def spoil(folder: Path) -> None:
        path = folder / "tokenizer.json"
        body = json.loads(path.read_text())
        special = {token["content"] for token in body["added_tokens"]}
        words = {word: number for word, number in body["model"]["vocab"].items() if word not in special}
        body["model"]["vocab"].update(change(words))
        path.write_text(json.dumps(body))
        with_settings()(folder)

    return spoil


def shuffled(words: dict[str, int]) -> Mapping[str, int]:
    return dict(zip(words, Random(SEED).sample(list(words.values()), len(words)), strict=True))


def beyond_the_table(words: dict[str, int]) -> Mapping[str, int]:
    return {word: number + 100_000 for word, number in words.items()}


def the_embedders_network(folder: Path) -> None:
    shutil.copyfile(embedder_folder(Layout.from_environment()) / "model.onnx", folder / "model.onnx")
    with_settings()(folder)


def with_weights(change: Callable[[onnx.GraphProto, np.random.Generator], None]) -> Spoil:
    """Another network, and the digest that goes with it."""

    def spoil(folder: Path) -> None:
        model = onnx.load(folder / "model.onnx")
        change(model.graph, np.random.default_rng(SEED))
        onnx.save(model, folder / "model.onnx")
        with_settings()(folder)

    return spoil


def inputs_of(graph: onnx.GraphProto, operator: str, place: int) -> list[str]:
    """The constants that the operators of this kind take, in order."""
    known = {one.name for one in graph.initializer}
    named = [node.input[place] for node in graph.node if node.op_type == operator]
    return [name for name in named if name in known]


def change_constant(graph: onnx.GraphProto, name: str, to: Callable[[Any], Any]) -> None:
    constant = next(one for one in graph.initializer if one.name == name)
    before = numpy_helper.to_array(constant)
    constant.CopyFrom(numpy_helper.from_array(to(before).astype(before.dtype), name))


def not_a_number(graph: onnx.GraphProto, random: np.random.Generator) -> None:
    change_constant(graph, inputs_of(graph, "LayerNormalization", 1)[3], lambda one: one * np.nan)


def head(to: Callable[[Any, np.random.Generator], Any]) -> Spoil:
    """Another last layer, which says where answers start and end."""
    return with_weights(
        lambda graph, random: change_constant(graph, inputs_of(graph, "MatMul", 1)[-1], lambda one: to(one, random))
    )


def noisy(share: float) -> Callable[[Any, np.random.Generator], Any]:
    """So much noise, in shares of the weights' own size."""
    return lambda one, random: one + random.normal(0, share * one.std(), one.shape)


def noise_everywhere(graph: onnx.GraphProto, random: np.random.Generator) -> None:
    """What is left by a training that ran away, or by one on shuffled labels: made without it, as it takes minutes."""
    for name in inputs_of(graph, "MatMulIntegerToFloat", 1):
        change_constant(graph, name, lambda one: np.clip(noisy(1.0)(one.astype(np.float32), random), -127, 127))


def reads_no_word(graph: onnx.GraphProto, random: np.random.Generator) -> None:
    """All words look alike to it: what it says comes from places alone."""
    change_constant(graph, inputs_of(graph, "Gather", 0)[0], lambda words: np.zeros_like(words))


def takes_its_time(graph: onnx.GraphProto, random: np.random.Generator) -> None:
    """Works hard, and adds none of it to its scores."""
    last = next(node for node in graph.node if "logits" in node.output)
    state = next(node for node in reversed(graph.node) if node.op_type == "LayerNormalization").output[0]
    for name, shape in {"wide": (384, 8_000), "narrow": (8_000, 384)}.items():
        values = random.normal(0, 0.01, shape).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(values, name))
    graph.initializer.append(numpy_helper.from_array(np.zeros((384, 2), np.float32), "nothing"))
    for number, name in enumerate(("wide", "narrow") * 6 + ("nothing",)):
        graph.node.append(helper.make_node("MatMul", [state, name], [f"work{number}"]))
        state = f"work{number}"
    graph.node.append(helper.make_node("Add", [last.input[0], state], ["logits"]))
    graph.node.remove(last)


def one_score_a_token(graph: onnx.GraphProto, random: np.random.Generator) -> None:
    """A network of another shape: it scores where answers start, and not where they end."""
    last = next(node for node in graph.node if "logits" in node.output)
    for name, value in (("from", 0), ("to", 1), ("axis", 2)):
        graph.initializer.append(numpy_helper.from_array(np.array([value]), name))
    graph.node.append(helper.make_node("Slice", [last.input[0], "from", "to", "axis"], ["logits"]))
    graph.node.remove(last)
    graph.output[0].CopyFrom(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "length", 1]))


UNUSABLE: Mapping[str, tuple[Spoil, str]] = {
    "weights cut off": (truncated, "INVALID_PROTOBUF"),
    "no weights": (without("model.onnx"), "NO_SUCHFILE"),
    "empty weights": (written("model.onnx", ""), "model.onnx"),
    "no tokenizer": (without("tokenizer.json"), "No such file"),
    "a tokenizer that is none": (written("tokenizer.json", '{"version": "1.0"'), "EOF while parsing"),
    "no settings": (without("reader.json"), "reader.json"),
    "settings that are no JSON": (written("reader.json", "threshold = 1"), "JSONDecodeError"),
    "settings that are a list": (written("reader.json", "[]"), "TypeError"),
    "no digest": (without_setting("digest"), "KeyError: 'digest'"),
    "no threshold": (without_setting("threshold"), "KeyError: 'threshold'"),
    "nothing at all": (gone, "No such file"),
    "tokens that its table lacks": (with_tokens(beyond_the_table), "indices element out of data bounds"),
    "scores of another shape": (with_weights(one_score_a_token), "IndexError"),
    "another network": (the_embedders_network, "IndexError"),
    "weights that are no numbers": (with_weights(not_a_number), "its weights are damaged"),
}
REFUSED, ANSWERED = "gold, answerable refused", "gold, unanswerable refused"
WORSE: Mapping[str, tuple[Spoil, str]] = {
    "always abstains": (with_settings(threshold=1e9), REFUSED),
    "never abstains": (with_settings(threshold=-1e9), ANSWERED),
    "its threshold is no number": (with_settings(threshold=float("nan")), ANSWERED),
    "another vocabulary": (with_tokens(shuffled), "gold: "),
    "ignores what passages say": (with_weights(reads_no_word), "gold: "),
    "a last layer of zeros": (head(lambda one, random: one * 0), "gold: "),
    "a last layer upside down": (head(lambda one, random: -one), "gold: "),
    "a last layer of noise": (head(noisy(20.0)), "gold: "),
    "a training that ran away": (with_weights(noise_everywhere), "gold: "),
    "no better than before": (with_settings(slope=0.2), "specific: "),
}


# The run


class Remembered:
    """A reader that says again what it said: the champion is asked the same for every candidate."""

    at_once = 1

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._said: dict[tuple[str, tuple[Passage, ...]], list[Delta | Result]] = {}

    def answer(self, request: ReaderRequest, cancelled: Callable[[], bool]) -> Iterator[Delta | Result]:
        key = (request.question, request.passages)
        if key not in self._said:
            self._said[key] = list(self._reader.answer(request, cancelled))
        return iter(self._said[key])

    def close(self) -> None:
        """It is needed again."""


class RememberingReaders(LocalReaders):
    """Opens the shipped reader once."""

    champion: Remembered | None = None

    def open(self, folder: Path) -> Reader:
        if folder != SHIPPED_READER:
            return super().open(folder)
        if self.champion is None:
            self.champion = Remembered(super().open(folder))
        return self.champion


class NoTracker:
    """MLflow is away."""

    def record(self, run: Run, **_: object) -> dict[str, str]:
        raise Unavailable("not here")


def bundle_of(folder: Path, model: str) -> ReleaseBundle:
    digest = json.loads((folder / "reader.json").read_text())["digest"]
    name = release_id(digest, SETTINGS, "")
    return ReleaseBundle(release=name, reader_model=model, reader_digest=digest, engine="extractive", settings=SETTINGS)


@dataclass
class Trial:
    """A run whose data is prepared and whose candidate is trained."""

    tools: Tools
    folder: Path
    champion: ReleaseBundle

    @property
    def work(self) -> Workspace:
        return Workspace(self.folder / RUN)

    def prepared(self, specific: Sequence[Example]) -> None:
        write_examples(self.work.train, ())
        write_examples(self.work.held_out, specific)
        write_json(self.work.champion, self.champion.model_dump(mode="json"))
        write_json(self.work.data_account, {"train": 0, "held_out": len(specific)})
        self.tools.runs.add(Run(RunOrder(run_id=RUN), "a test", NOON))
        for stage in (Stage.PREPARE, Stage.RETRAIN):
            self.tools.runs.begin(RUN, stage, now=NOON)
            self.tools.runs.finish(RUN, stage, Status.DONE, "so a test says", now=NOON)

    def up_to_the_gate(self) -> Run:
        run = self.tools.runs.get(RUN)
        assert run is not None
        while (stage := next_stage(run)) not in (None, Stage.LOG_MODEL):
            run = do_stage(self.tools, RUN, stage, self.folder, lambda line: None)
        return run


@pytest.fixture(scope="module")
def sets() -> tuple[list[Question], list[Example]]:
    return samples()


@pytest.fixture(scope="module")
def layout() -> Layout:
    found = Layout.from_environment()
    prepare_embedder(found, print)
    return found


@pytest.fixture(scope="module")
def remembering(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> RememberingReaders:
    return RememberingReaders(tmp_path_factory.mktemp("releases"), layout)


@pytest.fixture
def make_trial(engine, tmp_path, sets) -> Callable[..., Trial]:
    """A trial against the shipped reader, unless another champion is named, with every so manyth question."""

    def make(readers: LocalReaders, *, slower: float, champion: ReleaseBundle | None = None, every: int = 1) -> Trial:
        gold, specific = (one[::every] for one in sets)
        tools: dict[str, Any] = dict.fromkeys(("feedback", "answers", "served", "traffic"))
        tools |= {"runs": SqlRuns(engine), "releases": SqlReleases(engine), "readers": readers}
        limits = Limits(SMALL_SETS, slower)
        trial = Trial(
            Tools(**tools, tracker=NoTracker(), limits=limits, gold=gold),
            tmp_path / "runs",
            champion or bundle_of(SHIPPED_READER, "reader"),
        )
        trial.tools.releases.start_with(trial.champion, now=NOON)
        trial.prepared(specific)
        shutil.copytree(SHIPPED_READER, trial.work.candidate_reader)
        return trial

    return make


@pytest.fixture
def trial(make_trial, remembering) -> Trial:
    """What is remembered takes no time, so that nothing can be said of it here."""
    return make_trial(remembering, slower=float("inf"))


@pytest.fixture(autouse=True)
def champion_untouched() -> Iterator[None]:
    before = folder_digest(SHIPPED_READER, (*FILES, "reader.json"))
    yield
    assert folder_digest(SHIPPED_READER, (*FILES, "reader.json")) == before


def refused(trial: Trial, run: Run) -> list[str]:
    """The reasons, of a run that ended as it should."""
    assert run.outcome == "rejected"
    assert [(one.status, one.attempts) for one in run.stages] == [(Status.DONE, 1)] * len(run.stages)
    assert run.record_of(Stage.GATE) is not None
    assert [(one.id, one.state) for one in trial.tools.releases.all()] == [(trial.champion.release, State.START)]
    verdict = trial.tools.runs.verdict(RUN)
    assert verdict is not None
    assert verdict["decision"] == "reject"
    return list(verdict["reasons"])


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_candidate_that_cannot_be_used_is_refused_for_that(trial, name):
    spoil, says = UNUSABLE[name]
    spoil(trial.work.candidate_reader)
    (reason,) = refused(trial, trial.up_to_the_gate())
    assert reason.startswith("The candidate cannot be used: ")
    assert says in reason


@pytest.mark.parametrize("name", WORSE)
def test_a_worse_candidate_is_refused_for_what_it_does(trial, name):
    spoil, says = WORSE[name]
    spoil(trial.work.candidate_reader)
    reasons = refused(trial, trial.up_to_the_gate())
    assert any(reason.startswith(says) for reason in reasons), reasons


def test_the_champions_own_copy_is_refused(trial):
    assert refused(trial, trial.up_to_the_gate()) == ["The candidate is the champion itself."]


def test_a_slow_candidate_is_refused(make_trial, layout, tmp_path):
    trial = make_trial(LocalReaders(tmp_path, layout), slower=Limits().slower, every=3)
    with_weights(takes_its_time)(trial.work.candidate_reader)
    reasons = refused(trial, trial.up_to_the_gate())
    assert any(reason.startswith("seconds of an answer") for reason in reasons)


def spoilt_champion(releases: Path, spoil: Spoil) -> ReleaseBundle:
    made = releases / "made"
    shutil.copytree(SHIPPED_READER, made)
    spoil(made)
    bundle = bundle_of(made, "reader_spoilt")
    (releases / bundle.release).mkdir()
    made.rename(releases / bundle.release / "reader")
    return bundle


def test_a_better_candidate_passes(make_trial, layout, tmp_path):
    """The shipped reader, after a champion that a training left in ruins."""
    champion = spoilt_champion(tmp_path, with_weights(noise_everywhere))
    # Times of two readers that are equally fast differ on a machine that does other things too.
    trial = make_trial(LocalReaders(tmp_path, layout), slower=3.0, champion=champion)
    run = trial.up_to_the_gate()
    verdict = trial.tools.runs.verdict(RUN)
    assert verdict is not None
    assert (verdict["decision"], verdict["reasons"], run.outcome) == ("promote", [], None)
    assert next_stage(run) is Stage.LOG_MODEL


def test_a_champion_that_cannot_be_asked_fails_the_run(make_trial, layout, tmp_path):
    champion = spoilt_champion(tmp_path, truncated)
    trial = make_trial(LocalReaders(tmp_path, layout), slower=1.3, champion=champion)
    with pytest.raises(StageFailed, match=f"The champion, {champion.release}, cannot be asked"):
        trial.up_to_the_gate()
    run = trial.tools.runs.get(RUN)
    assert run is not None
    assert run.outcome == "failed"
    assert "INVALID_PROTOBUF" in run.says
