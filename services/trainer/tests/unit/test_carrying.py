"""A run that a workflow carries out: the order is taken once, the worker keeps off, and the end is told."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable
from trainer import pipeline
from trainer.adapters.sql_runs import SqlRuns
from trainer.carrying import CarriedElsewhere, accept, report_end
from trainer.improvement.runs import MOST_ATTEMPTS, Carrier, Run, Status
from trainer.improvement.stages import Stage
from trainer.pipeline import NotYet, do_stage
from trainer.steps.tools import Done, StageFailed
from trainer.working import RunWorker

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ORDER = RunOrder(run_id="run_0123456789", incident="inc_1", reason="Slow.")
OTHER = RunOrder(run_id="run_9876543210")


class FakeBridge:
    def __init__(self) -> None:
        self.started_runs: list[str] = []
        self.ended_runs: dict[str, str] = {}
        self.away = False

    def started(self, order: RunOrder) -> None:
        self._reach()
        self.started_runs.append(order.run_id)

    def ended(self, run_id: str, report) -> None:
        self._reach()
        self.ended_runs[run_id] = report.outcome

    def _reach(self) -> None:
        if self.away:
            raise Unavailable("alert-bridge is away")


class ListQueue:
    def __init__(self) -> None:
        self.waiting: list[str] = []

    def advance(self, run_id: str) -> None:
        self.waiting.append(run_id)


@pytest.fixture
def runs(engine) -> SqlRuns:
    return SqlRuns(engine)


@pytest.fixture
def bridge() -> FakeBridge:
    return FakeBridge()


@pytest.fixture
def queue() -> ListQueue:
    return ListQueue()


@pytest.fixture
def worker(runs, queue, tmp_path, monkeypatch) -> RunWorker:
    made = RunWorker(runs, queue, tmp_path, patience=timedelta(minutes=1), workflow_patience=timedelta(hours=1))
    monkeypatch.setattr(made, "_do", lambda run_id, stage: pytest.fail(f"the worker did {stage} of {run_id}"))
    return made


class TestTakingAnOrder:
    def test_makes_a_run_of_the_workflows_own(self, runs, bridge):
        run = accept(runs, bridge, ORDER, now=NOON)
        assert (run.order, run.carrier, run.started_by) == (ORDER, Carrier.WORKFLOW, "alert-bridge")
        assert runs.get(ORDER.run_id) == run

    def test_twice_is_the_same_run_as_it_is_now(self, runs, bridge):
        accept(runs, bridge, ORDER, now=NOON)
        runs.end(ORDER.run_id, "promoted", "well done", now=NOON)
        assert accept(runs, bridge, ORDER, now=NOON).outcome == "promoted"
        assert len(runs.page(limit=10, before=None).items) == 1

    def test_waits_for_a_run_that_the_worker_has_begun_and_keeps_its_place(self, runs, bridge):
        runs.add(Run(OTHER, "somebody", NOON))
        with pytest.raises(NotYet, match=f"{OTHER.run_id} is under way"):
            accept(runs, bridge, ORDER, now=NOON)
        runs.end(OTHER.run_id, "rejected", "", now=NOON)
        assert accept(runs, bridge, ORDER, now=NOON).outcome is None

    def test_gives_a_sign_of_life_while_it_waits(self, runs, bridge):
        runs.add(Run(OTHER, "somebody", NOON))
        for minutes in (0, 50):
            with pytest.raises(NotYet):
                accept(runs, bridge, ORDER, now=NOON + timedelta(minutes=minutes))
        assert runs.last_sign(ORDER.run_id) == NOON + timedelta(minutes=50)

    def test_that_the_worker_has_is_refused(self, runs, bridge, worker):
        worker.start(ORDER)
        with pytest.raises(CarriedElsewhere):
            accept(runs, bridge, ORDER, now=NOON)

    def test_that_no_incident_asked_for_tells_alert_bridge_so_that_none_starts_beside_it(self, runs, bridge):
        accept(runs, bridge, ORDER, now=NOON)
        runs.end(ORDER.run_id, "rejected", "", now=NOON)
        run = accept(runs, bridge, OTHER, now=NOON)
        assert run.started_by == "workflow"
        assert bridge.started_runs == [OTHER.run_id]

    def test_goes_on_while_alert_bridge_is_away(self, runs, bridge):
        bridge.away = True
        assert accept(runs, bridge, OTHER, now=NOON).carrier is Carrier.WORKFLOW


class TestTheWorkerKeepsOff:
    def test_when_it_gets_the_same_order(self, runs, bridge, worker, queue):
        accept(runs, bridge, ORDER, now=datetime.now(UTC))
        worker.start(ORDER)
        for run_id in queue.waiting:
            worker.advance(run_id)
        assert runs.get(ORDER.run_id).stages == ()

    def test_between_two_stages_however_long_a_pod_takes_to_start(self, runs, bridge, worker, queue):
        accept(runs, bridge, ORDER, now=datetime.now(UTC) - timedelta(minutes=50))
        worker.take_up()
        worker.advance(ORDER.run_id)
        assert queue.waiting == []
        assert runs.get(ORDER.run_id).outcome is None

    def test_but_ends_one_that_fell_silent_for_good(self, runs, bridge, worker):
        accept(runs, bridge, ORDER, now=datetime.now(UTC) - timedelta(minutes=61))
        worker.take_up()
        run = runs.get(ORDER.run_id)
        assert run.outcome == "failed"
        assert "no sign of life" in run.says

    def test_and_takes_up_its_own_runs_as_ever(self, runs, worker, queue):
        runs.add(Run(OTHER, "somebody", datetime.now(UTC) - timedelta(minutes=5)))
        worker.take_up()
        assert queue.waiting == [OTHER.run_id]


class TestTellingTheEnd:
    def test_of_a_run_that_came_to_its_own_end(self, runs, bridge):
        accept(runs, bridge, ORDER, now=NOON)
        runs.end(ORDER.run_id, "rejected", "the gate said no", now=NOON)
        assert report_end(runs, bridge, ORDER.run_id, "Succeeded", now=NOON).outcome == "rejected"
        assert bridge.ended_runs == {ORDER.run_id: "rejected"}

    def test_of_a_run_that_its_workflow_left_unfinished(self, runs, bridge):
        accept(runs, bridge, ORDER, now=NOON)
        run = report_end(runs, bridge, ORDER.run_id, "Error", now=NOON)
        assert (run.outcome, run.says) == ("failed", "The workflow ended as Error before the run did.")
        assert bridge.ended_runs == {ORDER.run_id: "failed"}

    def test_of_a_run_that_was_never_taken(self, runs, bridge):
        assert report_end(runs, bridge, ORDER.run_id, "Failed", now=NOON) is None
        assert bridge.ended_runs == {ORDER.run_id: "failed"}

    def test_does_not_end_a_run_that_the_worker_carries_out(self, runs, bridge, worker):
        worker.start(ORDER)
        assert report_end(runs, bridge, ORDER.run_id, "Failed", now=NOON).outcome is None
        assert bridge.ended_runs == {}

    def test_is_tried_again_while_alert_bridge_is_away(self, runs, bridge):
        accept(runs, bridge, ORDER, now=NOON)
        bridge.away = True
        with pytest.raises(Unavailable):
            report_end(runs, bridge, ORDER.run_id, "Failed", now=NOON)
        bridge.away = False
        report_end(runs, bridge, ORDER.run_id, "Failed", now=NOON)
        assert bridge.ended_runs == {ORDER.run_id: "failed"}


def test_a_stage_that_is_killed_again_and_again_ends_the_run(runs, bridge, tmp_path, monkeypatch):
    accept(runs, bridge, ORDER, now=NOON)
    monkeypatch.setattr(pipeline, "WORK", {stage: lambda *_: Done("well") for stage in Stage})
    for _ in range(MOST_ATTEMPTS):
        runs.begin(ORDER.run_id, Stage.PREPARE, now=NOON)
    with pytest.raises(StageFailed, match=r"^prepare-data was cut short 3 times$"):
        do_stage(SimpleNamespace(runs=runs), ORDER.run_id, Stage.PREPARE, tmp_path, print)
    assert runs.get(ORDER.run_id).status is Status.FAILED
