"""Who joins a training, and when it has nothing more to wait for."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from opskit.contracts.runs import RunOrder
from trainer.adapters.sql_runs import SqlRuns
from trainer.improvement.runs import Run, Status
from trainer.improvement.stages import Stage
from trainer.steps.joining import join, launch
from trainer.steps.workspace import Workspace, read_json, write_json

RUN = "run_0123456789"
SOON = timedelta(seconds=0.01)


@pytest.fixture
def runs(engine) -> SqlRuns:
    made = SqlRuns(engine)
    made.add(Run(RunOrder(run_id=RUN), "somebody", datetime.now(UTC)))
    return made


@pytest.fixture
def work(tmp_path) -> Workspace:
    return Workspace(tmp_path)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_command_can_be_found_while_it_runs_and_not_after(work):
    said: list[str] = []
    launch(python(f"print(open({str(work.launched)!r}).read())"), work, said.append)
    assert "import" not in said[0]
    assert sys.executable in "".join(said)
    assert not work.launched.exists()


def test_one_that_failed_is_not_found_either(work):
    with pytest.raises(subprocess.CalledProcessError):
        launch(python("raise SystemExit(3)"), work, print)
    assert not work.launched.exists()


def test_another_machine_waits_for_the_command_and_runs_the_same(runs, work):
    said: list[str] = []
    joined = threading.Thread(target=join, args=(runs, RUN, work, said.append), kwargs={"look_every": SOON})
    joined.start()
    write_json(work.launched, python("print('part two')"))
    joined.join(10)
    assert said == ["Joining in", "part two"]
    assert read_json(work.launched), "it is the launcher's to take away"


def test_a_part_that_failed_is_told(runs, work):
    write_json(work.launched, python("raise SystemExit(3)"))
    with pytest.raises(subprocess.CalledProcessError):
        join(runs, RUN, work, print)


@pytest.mark.parametrize("end", ["trained", "over"])
def test_nobody_waits_for_a_training_that_is_done(runs, work, end):
    now = datetime.now(UTC)
    if end == "trained":
        runs.begin(RUN, Stage.RETRAIN, now=now)
        runs.finish(RUN, Stage.RETRAIN, Status.DONE, "", now=now)
    else:
        runs.end(RUN, "no_data", "", now=now)
    join(runs, RUN, work, print, look_every=SOON)
