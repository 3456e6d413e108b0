"""A run that tries other settings, from its order to its end: the real stages over real SQL, with rag, Triton, MLflow
and Prometheus faked."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from opskit.contracts.releases import ReleaseBundle
from opskit.contracts.runs import RunOrder
from trainer.adapters.local_readers import LocalReaders
from trainer.adapters.sql import SqlFeedback
from trainer.adapters.sql_releases import SqlReleases
from trainer.adapters.sql_runs import SqlRuns
from trainer.deploying import GRACE_SECONDS, Deployer
from trainer.gold import gold_questions
from trainer.improvement.canary import Traffic
from trainer.improvement.proposing import merged, proposed
from trainer.improvement.releases import Release, State, serving_table
from trainer.improvement.runs import Run, next_stage
from trainer.improvement.stages import Stage
from trainer.pipeline import do_stage
from trainer.steps.tools import Canary, StageFailed, Tools
from trainer.steps.workspace import Workspace, read_json

RUN = "run_0123456789"
MORE = {"retrieval": {"passages": 12}}
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class FakeTriton:
    def __init__(self) -> None:
        self.models = {"reader_a"}
        self.asked: list[str] = []

    def load(self, model: str, reader: Path, digest: str) -> None:
        assert (reader / "reader.json").exists()
        self.asked.append(f"load {model}")
        self.models.add(model)

    def unload(self, model: str) -> None:
        self.asked.append(f"unload {model}")
        self.models.discard(model)

    def loaded(self) -> set[str]:
        return set(self.models)

    def held(self) -> set[str]:
        return self.loaded()


class FakeMlflow:
    def __init__(self) -> None:
        self.settings: dict = {}
        self.readers: dict[str, Path | None] = {}
        self.parts: dict = {}

    def record(self, run, *, figures, settings, files):
        self.settings = dict(settings)
        return {"run": "1", "url": "http://mlflow/1"}

    def register(self, release, parts, reader, *, run):
        self.readers[release.id], self.parts = reader, dict(parts)
        return {"model": "nexus-release", "version": "1"}


class FakePrometheus:
    def __init__(self) -> None:
        self.errors: dict[str, float] = {}

    def of(self, release: str, *, seconds: float) -> Traffic:
        return Traffic(answers=200, errors=self.errors.get(release, 0), slowest=0.3)


class World:
    def __init__(self, engine, folder: Path, rag) -> None:
        self.rag, self.folder = rag, folder
        self.triton, self.mlflow, self.prometheus = FakeTriton(), FakeMlflow(), FakePrometheus()
        self.tools = Tools(
            runs=SqlRuns(engine),
            releases=SqlReleases(engine),
            feedback=SqlFeedback(engine),
            answers=rag,
            readers=LocalReaders(folder / "releases", None),
            served=self.triton,
            traffic=self.prometheus,
            tracker=self.mlflow,
            canary=Canary(look_every=timedelta(0)),
        )
        self.tools.releases.start_with(rag.start_release(), now=NOON)
        self.said: list[str] = []

    def vote(self, make_vote: Callable, number: int) -> None:
        answer = f"{number} apples"
        question = f"How many are in basket {number}?"
        passage = {"number": 1, "document": f"{number}.md", "title": "", "text": f"There are {answer} in it."}
        vote = make_vote(
            correction=answer, key_id=f"key_{number}", answer_id=f"ans_{number}", question=question, passages=[passage]
        )
        self.tools.feedback.keep(replace(vote, answer=vote.answer.model_copy(update={"tenant": "acme"})), now=NOON)
        self.rag.right[question] = answer

    def run(self, changes: dict, until: Stage | None = None) -> Run:
        order = RunOrder(run_id=RUN, settings=changes)
        self.tools.runs.add(Run(order, "key_1", NOON))
        run = self.tools.runs.get(RUN)
        assert run is not None
        while (stage := next_stage(run)) is not None and stage is not until:
            run = do_stage(self.tools, RUN, stage, self.folder / "runs", self.said.append)
        return run

    def says(self, stage: Stage) -> str:
        record = self.tools.runs.get(RUN).record_of(stage)
        return record.says if record else ""

    @property
    def work(self) -> Workspace:
        return Workspace(self.folder / "runs" / RUN)

    def champion(self) -> ReleaseBundle | None:
        return serving_table(self.tools.releases.all()).champion

    def serve_a_trained_release(self) -> ReleaseBundle:
        """As a run that trained would have left it."""
        start = self.rag.start_release()
        bundle = proposed(start.model_copy(update={"reader_model": "reader_a", "reader_digest": "a"}), start.settings)
        reader = self.folder / "releases" / bundle.release / "reader"
        reader.mkdir(parents=True)
        (reader / "reader.json").write_text('{"digest": "a"}')
        self.tools.releases.add(Release(bundle.release, State.CANDIDATE, bundle, "run_before00"), {}, now=NOON)
        self.deployer().promote(bundle.release, who="me", why="a test", now=NOON)
        self.triton.asked.clear()
        return bundle

    def deployer(self) -> Deployer:
        return Deployer(self.tools.releases, self.tools.readers, self.triton)


@pytest.fixture
def world(engine, tmp_path, fake_rag, make_vote) -> World:
    made = World(engine, tmp_path, fake_rag)
    for number in range(60):
        made.vote(make_vote, number)
    return made


class TestBetterSettings:
    def test_they_are_promoted_without_training_or_triton(self, world):
        run = world.run(MORE)
        assert (run.outcome, run.kind) == ("promoted", "settings")
        assert world.says(Stage.RETRAIN) == "Nothing to train: only settings change"
        champion = world.champion()
        assert champion.settings["retrieval"] == {"passages": 12, "fusion": "convex"}
        assert champion.release == run.release
        assert champion.reader_model == "reader"
        assert world.triton.asked == []
        assert world.mlflow.readers == {champion.release: None}
        assert world.mlflow.parts["changes"] == MORE
        assert world.mlflow.settings["kind"] == "settings"
        assert "retrieval.passages: 8 → 12" in world.said

    def test_questions_of_users_are_asked_where_they_were_asked_and_searched_for_by_both(self, world):
        world.run(MORE, until=Stage.HALLUCINATION)
        searched = [(tenant, trial) for tenant, trial in world.rag.asked if trial.passages is None]
        questions = {trial.question for _, trial in searched}
        assert len(searched) == 2 * len(questions) > 16
        assert {tenant for tenant, _ in searched} == {"acme"}
        first = [trial.release.settings["retrieval"]["passages"] for _, trial in searched]
        assert first[:4] == [12, 8, 8, 12] or first[:4] == [8, 12, 12, 8], "each is first as often as the other"

    def test_nobody_is_named_in_what_mlflow_gets(self, world):
        world.run(MORE, until=Stage.LOG_METRICS)
        for file in world.work.root.rglob("*"):
            assert not file.is_file() or b"acme" not in file.read_bytes()

    def test_what_both_read_alike_is_asked_once(self, world):
        world.run(MORE, until=Stage.SPECIFIC)
        assert len(world.rag.asked) == len(gold_questions())
        both = read_json(world.work.evaluation("gold"))
        assert both["champion"]["said"] == both["candidate"]["said"]
        assert both["champion"]["digest"] != both["candidate"]["digest"]

    def test_with_another_prompt_everything_is_asked_of_both(self, world):
        world.run({**MORE, "prompt": {"instructions": "Answer briefly."}}, until=Stage.SPECIFIC)
        assert len(world.rag.asked) == 2 * len(gold_questions())


class TestWithATrainedReader:
    def test_the_reader_is_shared_and_stays_when_the_settings_are_rolled_back(self, world):
        before = world.serve_a_trained_release()
        candidate = proposed(before, merged(before.settings, MORE)).release
        world.prometheus.errors[candidate] = 150
        run = world.run(MORE)
        assert (run.outcome, run.release) == ("rolled_back", candidate)
        assert world.champion().release == before.release
        deployer = world.deployer()
        deployer.reconcile(clock=lambda: 0.0)
        deployer.reconcile(clock=lambda: GRACE_SECONDS + 1)
        assert world.triton.models == {"reader_a"}
        assert not any(one.startswith("unload") for one in world.triton.asked)

    def test_it_can_be_loaded_again_from_the_new_releases_own_files(self, world):
        world.serve_a_trained_release()
        run = world.run(MORE)
        assert run.outcome == "promoted"
        assert world.mlflow.readers[run.release] == world.folder / "releases" / run.release / "reader"
        world.triton.models.clear()
        world.deployer().reconcile()
        assert world.triton.models == {"reader_a"}


class TestWhatDoesNotPass:
    def test_settings_that_win_nothing_are_refused_by_the_gate(self, world):
        run = world.run({"retrieval": {"passages": 3}})
        assert run.outcome == "rejected"
        assert "specific" in run.says
        assert world.champion() is None

    def test_settings_that_cannot_be_answered_with_are_refused_with_the_reason(self, world):
        start = world.rag.start_release()
        world.rag.ill.add(proposed(start, merged(start.settings, MORE)).release)
        run = world.run(MORE)
        assert run.outcome == "rejected"
        assert "the question does not fit" in run.says

    def test_a_champion_that_cannot_be_asked_is_no_reason_for_another(self, world):
        world.rag.ill.add(world.rag.start_release().release)
        with pytest.raises(StageFailed, match="cannot be asked"):
            world.run(MORE)
        assert world.tools.runs.get(RUN).outcome == "failed"

    @pytest.mark.parametrize("changes", [{"retrieval": {"passages": 8}}, {"retrieval": {"passages": "8"}}])
    def test_what_is_no_proposal_any_more_when_its_turn_comes_ends_at_once(self, world, changes):
        run = world.run(changes)
        assert run.outcome == "rejected"
        assert run.says.startswith("Refused: ")
        assert [one.stage for one in run.stages] == [Stage.PREPARE]

    def test_without_enough_votes_there_is_nothing_to_measure_on(self, engine, tmp_path, fake_rag):
        assert World(engine, tmp_path, fake_rag).run(MORE).outcome == "no_data"
