"""log-model-metrics and log-model: kept here first, and told to MLflow when it is there."""

import json

import pytest
from trainer.improvement.releases import State
from trainer.improvement.stages import Stage
from trainer.registering import Registrar
from trainer.steps.log_model import log_model
from trainer.steps.log_model_metrics import log_model_metrics

FIGURE = "candidate/specific/f1"


@pytest.fixture
def measured(world):
    world.leave_evaluations(candidate=1.0)
    world.comes_to(Stage.LOG_METRICS)
    return world


@pytest.fixture
def passed(world):
    """The candidate has passed the gate."""
    world.leave_candidate()
    world.comes_to(Stage.LOG_MODEL)
    return world


def kept_reader(world) -> dict[str, bytes]:
    folder = world.folder.parent / "releases" / world.wanted
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


class TestMetrics:
    def test_a_run_is_recorded_once_with_its_figures(self, measured):
        measured.do(log_model_metrics)
        names = measured.work.tracking.read_bytes()
        measured.do(log_model_metrics)
        assert measured.work.tracking.read_bytes() == names
        assert list(measured.tools.tracker.runs) == [measured.run.id]
        assert measured.tools.tracker.runs[measured.run.id][FIGURE] == 1.0

    def test_while_mlflow_is_away_the_run_goes_on(self, measured):
        measured.tools.tracker.away = True
        run = measured.stage(Stage.LOG_METRICS)
        assert run.record_of(Stage.LOG_METRICS).says == "Kept here; MLflow is away: MLflow is away"
        assert not measured.work.tracking.exists()


class TestTheModel:
    def test_a_candidate_becomes_a_release_whose_files_are_kept(self, passed):
        passed.stage(Stage.LOG_MODEL)
        assert passed.states()[passed.wanted] is State.CANDIDATE
        assert passed.run.release == passed.wanted
        assert json.loads(kept_reader(passed)["reader/reader.json"]) == {"digest": "tuned"}
        parts = passed.tools.releases.parts(passed.wanted)
        assert parts["base_release"] == json.loads(passed.work.champion.read_text())["release"]
        assert (parts["base"], parts["reader"]) == ("start", "tuned")

    def test_done_again_it_adds_nothing(self, passed):
        done = passed.do(log_model)
        before = passed.states(), passed.tools.releases.parts(passed.wanted), kept_reader(passed)
        assert passed.do(log_model) == done
        assert (passed.states(), passed.tools.releases.parts(passed.wanted), kept_reader(passed)) == before
        assert list(passed.tools.tracker.releases) == [passed.wanted]

    @pytest.mark.parametrize(("port", "method"), [("readers", "keep"), ("releases", "add"), ("runs", "name_release")])
    def test_what_broke_off_in_the_middle_is_made_whole(self, passed, port, method):
        part = passed.folder.parent / "releases" / passed.wanted / "reader.part"
        part.mkdir(parents=True)
        (part / "half of a file").touch()
        passed.interrupt(port, method)
        with pytest.raises(RuntimeError):
            passed.stage(Stage.LOG_MODEL)
        run = passed.stage(Stage.LOG_MODEL)
        assert (run.release, run.record_of(Stage.LOG_MODEL).attempts) == (passed.wanted, 2)
        assert passed.states()[passed.wanted] is State.CANDIDATE
        assert set(kept_reader(passed)) == {"reader/reader.json", "reader/model.onnx"}

    def test_while_mlflow_is_away_the_release_is_kept_and_registered_later(self, passed):
        tracker = passed.tools.tracker
        tracker.away = True
        run = passed.stage(Stage.LOG_MODEL)
        assert run.record_of(Stage.LOG_MODEL).says == f"{passed.wanted} is kept; MLflow is away"
        assert passed.states()[passed.wanted] is State.CANDIDATE
        tracker.away = False
        Registrar(passed.tools.releases, tracker, passed.tools.readers).follow()
        assert list(tracker.releases) == [passed.wanted]

    def test_figures_that_mlflow_did_not_hear_are_sent_with_the_release(self, passed):
        passed.stage(Stage.LOG_MODEL)
        tracker = passed.tools.tracker
        assert tracker.runs[passed.run.id][FIGURE] == 1.0
        assert tracker.releases[passed.wanted]["run"] == f"mlflow of {passed.run.id}"
