"""A run's stages over real SQL and real folders. Faked is what runs elsewhere: rag, MLflow, Triton and Prometheus."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nexus_serving.layout import Layout
from opskit.contracts.reader import Passage
from opskit.contracts.releases import ReleaseBundle, release_id
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable
from trainer.adapters.local_readers import LocalReaders
from trainer.adapters.sql import SqlFeedback
from trainer.adapters.sql_releases import SqlReleases
from trainer.adapters.sql_runs import SqlRuns
from trainer.improvement.canary import Traffic, Watch
from trainer.improvement.evaluating import Question, Said, as_json
from trainer.improvement.examples import Example, Shown, write_examples
from trainer.improvement.gate import Limits
from trainer.improvement.releases import Release, State
from trainer.improvement.runs import Run, Status
from trainer.improvement.stages import Stage
from trainer.pipeline import do_stage
from trainer.steps.tools import Canary, Tools
from trainer.steps.workspace import Workspace, write_json

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RUN = "run_0123456789"
SETTINGS = {"prompt": {"instructions": "Answer."}, "retrieval": {"passages": 4}}
PASSAGES = (Shown("guide.md", "Guide", "", "The interval is 120 seconds."), Shown("other.md", "Other", "", "Not here."))


def bundle(digest: str, model: str = "reader") -> ReleaseBundle:
    name = release_id(digest, SETTINGS, "")
    return ReleaseBundle(release=name, reader_model=model, reader_digest=digest, engine="extractive", settings=SETTINGS)


class FakeAnswers:
    """rag, which finds a passage that has what a correction says."""

    def __init__(self) -> None:
        self.finds: Sequence[Shown] = ()
        self.fails: list[Exception] = []

    def start_release(self) -> ReleaseBundle:
        return bundle("start")

    def found(self, tenant: str, knowledge_base: str, query: str) -> Sequence[Shown]:
        if self.fails:
            raise self.fails.pop()
        return self.finds


class FakeTracker:
    """MLflow, which knows what it was told by name, and may be away."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, float]] = {}
        self.releases: dict[str, dict[str, str]] = {}
        self.away = False

    def record(self, run: Run, *, figures: dict[str, float], settings: dict[str, Any], files: Path) -> dict[str, str]:
        self._answer()
        self.runs.setdefault(run.id, figures)
        return {"run": f"mlflow of {run.id}", "url": f"http://mlflow/{run.id}"}

    def register(self, release: Release, parts: Any, reader: Path, *, run: dict[str, str]) -> dict[str, str]:
        self._answer()
        assert (reader / "reader.json").exists()
        self.releases.setdefault(release.id, run)
        return {"model": "nexus-release", "version": str(list(self.releases).index(release.id) + 1)}

    def alias(self, release_id: str, alias: str | None) -> None:
        self._answer()

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("MLflow is away")


class FakeServed:
    """Triton, which does not answer to the loads that a test names."""

    def __init__(self) -> None:
        self.models: set[str] = set()
        self.loads = 0
        self.away_at: set[int] = set()

    def load(self, model: str, reader: Path, digest: str) -> None:
        self.loads += 1
        if self.loads in self.away_at:
            raise Unavailable("Triton is away")
        self.models.add(model)


class FakeTraffic:
    """Prometheus, with a figure for each release; `meanwhile` happens while it is asked."""

    def __init__(self) -> None:
        self.of_releases: dict[str, Traffic] = {}
        self.meanwhile: Callable[[], object] = lambda: None
        self.away = False

    def of(self, release: str, *, seconds: float) -> Traffic:
        self.meanwhile()
        if self.away:
            raise Unavailable("Prometheus is away")
        return self.of_releases.get(release, Traffic())


class Interrupted:
    """A store whose process dies, once, when it comes to one of its methods."""

    def __init__(self, store: object, method: str) -> None:
        self._store, self._method = store, method

    def __getattr__(self, name: str) -> Any:
        if name != self._method:
            return getattr(self._store, name)
        self._method = ""

        def die(*_: object, **__: object) -> None:
            raise RuntimeError("the process dies here")

        return die


@dataclass
class World:
    """One run, and all that its stages touch."""

    tools: Tools
    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def work(self) -> Workspace:
        return Workspace(self.folder / RUN)

    @property
    def run(self) -> Run:
        run = self.tools.runs.get(RUN)
        assert run is not None
        return run

    @property
    def wanted(self) -> str:
        """The release that the candidate becomes."""
        return bundle("tuned").release

    def order(self, run_id: str = RUN) -> None:
        self.tools.runs.add(Run(RunOrder(run_id=run_id), "a test", NOON))

    def stage(self, stage: Stage, run_id: str = RUN) -> Run:
        return do_stage(self.tools, run_id, stage, self.folder, self.said.append)

    def do(self, step: Callable[..., Any]) -> Any:
        """The work of a stage without its record, as after a crash between the two."""
        return step(self.tools, self.run, self.work, self.said.append)

    def change(self, **tools: Any) -> None:
        self.tools = replace(self.tools, **tools)

    def interrupt(self, port: str, method: str) -> None:
        self.change(**{port: Interrupted(getattr(self.tools, port), method)})

    def comes_to(self, stage: Stage) -> None:
        """All stages before this one are done, and have left what they leave."""
        for one in Stage:
            if one is stage:
                return
            self.tools.runs.begin(RUN, one, now=NOON)
            self.tools.runs.finish(RUN, one, Status.DONE, "so a test says", now=NOON)

    def files(self, folder: str, run_id: str = RUN) -> dict[str, bytes]:
        root = self.folder / run_id / folder
        return {str(one.relative_to(root)): one.read_bytes() for one in sorted(root.rglob("*")) if one.is_file()}

    def states(self) -> dict[str, State]:
        return {one.id: one.state for one in self.tools.releases.all()}

    def leave_evaluations(self, *, candidate: float) -> None:
        """What the stages up to the gate leave; the candidate scores so much on the specific set."""
        examples = [Example(f"fb_{n}", f"How long is {n}?", PASSAGES, 0, 16, 27, "correction") for n in range(10)]
        write_examples(self.work.train, examples[:2])
        write_examples(self.work.held_out, examples)
        write_json(self.work.champion, bundle("start").model_dump(mode="json"))
        write_json(self.work.data_account, {"train": 2, "held_out": 10})
        sets = {
            "gold": [question.id for question in self.tools.gold],
            "specific": [one.id for one in examples],
            "hopeless": [f"{one.id} without its passage" for one in examples],
        }
        for name, ids in sets.items():
            scores = {"champion": 0.5, "candidate": candidate if name == "specific" else 0.5}
            write_json(
                self.work.evaluation(name),
                {
                    who: {"digest": who, "broken": "", "said": as_json(said(ids, score))}
                    for who, score in scores.items()
                },
            )

    def leave_candidate(self) -> None:
        """What the training and the gate leave."""
        self.leave_evaluations(candidate=1.0)
        write_reader(self.work.candidate_reader, "tuned")
        (self.work.model / "adapter").mkdir()
        (self.work.model / "adapter" / "adapter_model.safetensors").write_bytes(b"small matrices")
        write_json(self.work.verdict, {"decision": "promote"})


def said(ids: Sequence[str], score: float) -> list[Said]:
    return [Said(one, "120 seconds", "without" in one, score, score, 1.0, 0.0, 0.0, 0.9, 0.1) for one in ids]


def write_reader(folder: Path, digest: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "reader.json").write_text(json.dumps({"digest": digest}))
    (folder / "model.onnx").write_bytes(digest.encode() * 100)
    return folder


@pytest.fixture
def world(engine, tmp_path) -> World:
    layout = Layout(tmp_path / "cache", tmp_path / "state")
    shipped = write_reader(tmp_path / "shipped", "start")
    limits = Limits(tuple(replace(limit, fewest=5) for limit in Limits().figures))
    made = World(
        Tools(
            runs=SqlRuns(engine),
            releases=SqlReleases(engine),
            feedback=SqlFeedback(engine),
            answers=FakeAnswers(),
            readers=LocalReaders(tmp_path / "releases", layout, shipped=shipped),
            served=FakeServed(),  # type: ignore[arg-type]
            traffic=FakeTraffic(),
            tracker=FakeTracker(),  # type: ignore[arg-type]
            limits=limits,
            gold=[Question(f"gold {n}", "How long?", PASSAGES, ("120 seconds",) if n < 5 else ()) for n in range(10)],
            canary=Canary(look_every=timedelta(0), watch=Watch(answers=50)),
        ),
        tmp_path / "runs",
    )
    made.tools.releases.start_with(bundle("start"), now=NOON)
    made.order()
    return made


@pytest.fixture
def vote_on(world, make_vote) -> Callable[..., None]:
    """Down votes on so many answers, each corrected to what a passage says."""

    def vote(count: int, *, correction: str = "{} seconds", text: str = "Interval {} is {} seconds.") -> None:
        for number in range(count):
            passage = Passage(number=1, document="guide.md", title="Guide", text=text.format(number, number + 100))
            made = make_vote(
                correction=correction.format(number + 100),
                answer_id=f"ans_{number}",
                question=f"How long is interval {number}?",
                passages=[passage],
            )
            world.tools.feedback.keep(made, now=NOON + timedelta(seconds=number))

    return vote
