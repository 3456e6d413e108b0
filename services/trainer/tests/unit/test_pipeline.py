"""A run from stage to stage, with the work of the stages faked."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from opskit.contracts.runs import RunOrder, RunReport
from opskit.errors import Unavailable
from trainer import pipeline, working
from trainer.adapters.sql_runs import SqlRuns
from trainer.improvement.runs import MOST_ATTEMPTS, MOST_WAITS, Run, Status, next_stage
from trainer.improvement.stages import Stage
from trainer.pipeline import NotYet, do_stage, report_ended
from trainer.steps.tools import Done, StageFailed
from trainer.working import RunWorker

RUN = "run_0123456789"


@pytest.fixture
def database(any_database):
    return any_database


class World:
    """Stages that do what a test says, over real SQL."""

    def __init__(self, engine, folder) -> None:
        self.runs = SqlRuns(engine)
        self.folder = folder
        self.does: dict[Stage, object] = {}
        self.done: list[Stage] = []
        self.said: list[str] = []
        self.order(RUN)

    def order(self, run_id: str) -> None:
        self.runs.add(Run(RunOrder(run_id=run_id), "alert-bridge", datetime.now(UTC)))

    def stage(self, stage: Stage, run_id: str = RUN) -> Run:
        return do_stage(SimpleNamespace(runs=self.runs), run_id, stage, self.folder, self.said.append)

    def all_stages(self, run_id: str = RUN) -> Run:
        run = self.runs.get(run_id)
        assert run is not None
        while (stage := next_stage(run)) is not None:
            run = self.stage(stage, run_id)
        return run


@pytest.fixture
def world(engine, tmp_path, monkeypatch) -> World:
    made = World(engine, tmp_path)

    def work(stage):
        def do(tools, run, work, say):
            made.done.append(stage)
            what = made.does.get(stage, Done(f"{stage} went well"))
            if isinstance(what, Exception):
                raise what
            return what

        return do

    monkeypatch.setattr(pipeline, "WORK", {stage: work(stage) for stage in Stage})
    return made


class TestStages:
    def test_all_stages_in_order_end_in_a_promotion(self, world):
        run = world.all_stages()
        assert world.done == list(Stage)
        assert (run.outcome, run.status) == ("promoted", Status.DONE)
        assert all(one.status is Status.DONE and one.seconds is not None for one in run.stages)

    def test_a_stage_that_is_done_is_passed_over(self, world):
        world.stage(Stage.PREPARE)
        world.stage(Stage.PREPARE)
        assert world.done == [Stage.PREPARE]
        assert "prepare-data is done already" in world.said

    def test_no_stage_is_done_before_its_turn(self, world):
        with pytest.raises(NotYet, match="prepare-data comes before gate"):
            world.stage(Stage.GATE)

    def test_a_run_that_nobody_ordered_is_refused(self, world):
        with pytest.raises(NotYet, match="There is no run"):
            world.stage(Stage.PREPARE, "run_unknown123")

    @pytest.mark.parametrize(
        ("stage", "outcome"),
        [(Stage.PREPARE, "no_data"), (Stage.GATE, "rejected"), (Stage.DEPLOY, "rolled_back")],
    )
    def test_a_stage_may_end_the_run(self, world, stage, outcome):
        world.does[stage] = Done("so it is", outcome)
        run = world.all_stages()
        assert (run.outcome, run.says) == (outcome, "so it is")
        assert world.done[-1] is stage

    def test_after_the_end_nothing_is_done(self, world):
        world.does[Stage.PREPARE] = Done("nothing", "no_data")
        world.stage(Stage.PREPARE)
        world.stage(Stage.RETRAIN)
        assert world.done == [Stage.PREPARE]


class TestFailures:
    def test_what_fails_is_written_down_and_may_be_tried_again(self, world):
        world.does[Stage.PREPARE] = Unavailable("rag is away")
        with pytest.raises(Unavailable):
            world.stage(Stage.PREPARE)
        run = world.runs.get(RUN)
        record = run.record_of(Stage.PREPARE)
        assert (run.outcome, record.status, record.says) == (None, Status.FAILED, "rag is away")
        del world.does[Stage.PREPARE]
        assert world.stage(Stage.PREPARE).record_of(Stage.PREPARE).attempts == 2

    def test_what_fails_again_and_again_ends_the_run(self, world):
        world.does[Stage.PREPARE] = ValueError("odd")
        for _ in range(MOST_ATTEMPTS):
            with pytest.raises(ValueError, match="odd"):
                world.stage(Stage.PREPARE)
        run = world.runs.get(RUN)
        assert (run.outcome, run.says) == ("failed", "prepare-data: ValueError: odd")
        assert any("Traceback" in line for line in world.said)

    def test_who_is_away_is_waited_for_longer(self, world):
        world.does[Stage.PREPARE] = Unavailable("rag is away")
        for attempt in range(1, MOST_WAITS + 1):
            assert world.runs.get(RUN).outcome is None, attempt
            with pytest.raises(Unavailable):
                world.stage(Stage.PREPARE)
        assert world.runs.get(RUN).outcome == "failed"

    def test_what_cannot_ever_be_done_ends_the_run_at_once(self, world):
        world.does[Stage.PREPARE] = StageFailed("wrong family")
        with pytest.raises(StageFailed):
            world.stage(Stage.PREPARE)
        assert world.runs.get(RUN).outcome == "failed"


class FakeBridge:
    def __init__(self) -> None:
        self.told: list[tuple[str, RunReport]] = []
        self.away = False

    def ended(self, run_id: str, report: RunReport) -> None:
        if self.away:
            raise Unavailable("away")
        self.told.append((run_id, report))


class TestTelling:
    def test_alert_bridge_is_told_once_how_a_run_ended(self, world):
        bridge = FakeBridge()
        world.all_stages()
        report_ended(world.runs, bridge)
        report_ended(world.runs, bridge)
        assert [(run, report.outcome) for run, report in bridge.told] == [(RUN, "promoted")]

    def test_one_that_is_away_is_told_later(self, world):
        bridge = FakeBridge()
        bridge.away = True
        world.all_stages()
        with pytest.raises(Unavailable):
            report_ended(world.runs, bridge)
        bridge.away = False
        report_ended(world.runs, bridge)
        assert len(bridge.told) == 1


class FakeQueue:
    def __init__(self) -> None:
        self.waiting: list[str] = []

    def advance(self, run_id: str) -> None:
        self.waiting.append(run_id)


class TestTheWorker:
    @pytest.fixture
    def queue(self) -> FakeQueue:
        return FakeQueue()

    @pytest.fixture
    def worker(self, world, queue, monkeypatch) -> RunWorker:
        """Does its stages here instead of in processes of their own."""
        made = RunWorker(world.runs, queue, world.folder, patience=timedelta(minutes=1))
        monkeypatch.setattr(made, "_do", lambda run_id, stage: world.stage(stage, run_id))
        return made

    def drain(self, worker: RunWorker, queue: FakeQueue) -> None:
        while queue.waiting:
            worker.advance(queue.waiting.pop(0))

    def test_an_order_is_carried_out_to_its_end(self, world, worker, queue):
        worker.start(RunOrder(run_id=RUN))
        self.drain(worker, queue)
        assert world.runs.get(RUN).outcome == "promoted"

    def test_the_same_order_again_is_the_same_run(self, world, worker, queue):
        for _ in range(5):
            worker.start(RunOrder(run_id=RUN))
        self.drain(worker, queue)
        assert world.done == list(Stage)

    def test_a_second_run_waits_for_the_first(self, world, worker, queue):
        worker.start(RunOrder(run_id="run_second0000"))
        worker.advance("run_second0000")
        assert world.runs.get("run_second0000").stages == ()
        worker.start(RunOrder(run_id=RUN))
        self.drain(worker, queue)
        ends = [world.runs.get(name).finished_at for name in (RUN, "run_second0000")]
        assert ends[0] < ends[1]

    def test_what_another_worker_is_at_is_left_alone(self, world, worker):
        world.runs.begin(RUN, Stage.PREPARE, now=datetime.now(UTC))
        worker.advance(RUN)
        assert world.done == []

    def test_what_a_dead_worker_left_is_taken_up(self, world, worker, queue):
        world.runs.begin(RUN, Stage.PREPARE, now=datetime.now(UTC) - timedelta(minutes=5))
        worker.take_up()
        assert queue.waiting == [RUN]
        worker.take_up()
        assert queue.waiting == [RUN], "once is enough"
        self.drain(worker, queue)
        assert world.runs.get(RUN).outcome == "promoted"

    def test_of_two_workers_that_take_it_up_one_does_it(self, world, worker, queue, monkeypatch):
        world.runs.begin(RUN, Stage.PREPARE, now=datetime.now(UTC) - timedelta(minutes=5))
        other, does = RunWorker(world.runs, FakeQueue(), world.folder, patience=timedelta(minutes=1)), []
        monkeypatch.setattr(other, "_do", lambda run_id, stage: does.append(stage))
        monkeypatch.setattr(worker, "_do", lambda run_id, stage: (other.advance(run_id), world.stage(stage, run_id)))
        worker.take_up()
        other.take_up()
        worker.advance(RUN)
        assert (world.done, does) == ([Stage.PREPARE], [])

    def test_a_message_that_is_lost_is_sent_again(self, world, worker, queue):
        world.runs.begin(RUN, Stage.PREPARE, now=datetime.now(UTC) - timedelta(minutes=5))
        worker.take_up()
        worker._sent[RUN] -= timedelta(minutes=2)
        worker.take_up()
        assert queue.waiting == [RUN, RUN]

    def test_who_was_slower_to_see_that_nobody_works_on_it_has_nothing(self, world):
        now = datetime.now(UTC)
        assert world.runs.claim(RUN, None, now=now)
        assert not world.runs.claim(RUN, None, now=now)
        assert world.runs.claim(RUN, world.runs.last_sign(RUN), now=now + timedelta(seconds=1))

    def test_what_somebody_works_on_is_not_taken_up(self, world, worker, queue):
        world.runs.begin(RUN, Stage.PREPARE, now=datetime.now(UTC))
        worker.take_up()
        assert queue.waiting == []

    def test_what_failed_is_not_tried_again_at_once(self, world, worker, queue, monkeypatch):
        def fails(run_id, stage):
            with pytest.raises(Unavailable):
                world.stage(stage, run_id)

        world.does[Stage.PREPARE] = Unavailable("rag is away")
        monkeypatch.setattr(worker, "_do", fails)
        worker.advance(RUN)
        assert queue.waiting == []
        worker.take_up()
        assert queue.waiting == [], "nor before it has been quiet for a while"


class TestAStageThatIsKilled:
    @pytest.fixture
    def worker(self, world) -> RunWorker:
        return RunWorker(world.runs, FakeQueue(), world.folder, patience=timedelta(0))

    @pytest.fixture
    def dies(self, monkeypatch):
        def while_it(does) -> None:
            def killed(*_, **__):
                does()
                return SimpleNamespace(returncode=-9)

            monkeypatch.setattr(working.subprocess, "run", killed)

        return while_it

    def test_so_many_times_ends_the_run(self, world, worker, dies):
        dies(lambda: world.runs.begin(RUN, Stage.PREPARE, now=datetime.now(UTC) - timedelta(minutes=1)))
        for _ in range(MOST_ATTEMPTS):
            assert world.runs.get(RUN).outcome is None
            worker.advance(RUN)
        run = world.runs.get(RUN)
        assert (run.outcome, run.says) == ("failed", "prepare-data was cut short 3 times; is there too little memory?")

    def test_before_it_began_is_no_attempt_after_others_that_waited(self, world, worker, dies):
        world.does[Stage.PREPARE] = Unavailable("rag is away")
        for _ in range(MOST_ATTEMPTS):
            with pytest.raises(Unavailable):
                world.stage(Stage.PREPARE)
        dies(lambda: None)
        worker.advance(RUN)
        assert world.runs.get(RUN).outcome is None
