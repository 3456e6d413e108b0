"""The commands of a workflow, by their exit codes and the outcome they leave: what a retry and a condition go by."""

import json
import os
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable
from sqlalchemy.exc import IntegrityError
from trainer import pipeline
from trainer.__main__ import cli
from trainer.adapters.sql_runs import SqlRuns
from trainer.improvement.runs import MOST_ATTEMPTS, Carrier, Run
from trainer.improvement.stages import Stage
from trainer.steps.tools import Done, StageFailed
from typer.testing import CliRunner

RUN = "run_0123456789"


@pytest.fixture
def call(engine, database, tmp_path, monkeypatch):
    """A command; gives its exit code, and what it left at `--outcome-to`."""
    for name, value in {
        "NEXUS_INTERNAL_TOKEN": "an-internal-token-of-length",
        "NEXUS_TRAINER_DATABASE_URL": database,
        "NEXUS_RUNS_FOLDER": str(tmp_path / "runs"),
        "NEXUS_ALERT_BRIDGE_URL": "http://127.0.0.1:1",
        "NEXUS_STATE_DIR": str(tmp_path / "state"),
    }.items():
        monkeypatch.setenv(name, value)
    outcome = tmp_path / "outcome"

    def invoke(command: str, *options: str) -> tuple[int, str | None]:
        outcome.unlink(missing_ok=True)
        where = [] if command == "report-end" else ["--outcome-to", str(outcome)]
        done = CliRunner().invoke(cli, [command, "--run", RUN, *where, *options])
        return done.exit_code, outcome.read_text() if outcome.exists() else None

    return invoke


@pytest.fixture
def does(monkeypatch):
    """What prepare-data comes to."""

    def set_to(what: Done | Exception) -> None:
        def work(*_):
            if isinstance(what, Exception):
                raise what
            return what

        monkeypatch.setattr(pipeline, "WORK", {Stage.PREPARE: work})

    return set_to


@pytest.fixture
def runs(engine) -> SqlRuns:
    return SqlRuns(engine)


class TestAccept:
    def test_takes_the_order_as_alert_bridge_posts_it(self, call, runs):
        order = RunOrder(run_id=RUN, incident="inc_1", alertname="NexusAnswerQualityLow", reason='50 % "down" \u2615')
        text = json.dumps(order.model_dump(mode="json"))
        assert call("accept", "--order", text) == (0, "under-way")
        assert runs.get(RUN).order == order
        assert call("accept", "--order", b64encode(text.encode()).decode()) == (0, "under-way")

    def test_takes_a_run_that_nobody_ordered(self, call, runs):
        assert call("accept") == (0, "under-way")
        assert runs.get(RUN).order.reason == "asked for by a workflow"

    @pytest.mark.parametrize("order", ["", "[]", "no json", '{"target": "A B"}', '{"run_id": "run_anotherone"}'])
    def test_refuses_what_is_no_order_for_good(self, call, runs, order):
        assert call("accept", "--order", order) == (1, None)
        assert runs.get(RUN) is None

    def test_is_to_be_tried_again_while_another_run_is_under_way(self, call, runs):
        runs.add(Run(RunOrder(run_id="run_9876543210"), "somebody", datetime.now(UTC)))
        assert call("accept") == (os.EX_TEMPFAIL, None)


class TestAStage:
    @pytest.fixture(autouse=True)
    def accepted(self, runs):
        runs.add(Run(RunOrder(run_id=RUN), "workflow", datetime.now(UTC), carrier=Carrier.WORKFLOW))

    def test_says_that_the_run_goes_on(self, call, does):
        does(Done("well"))
        assert call("prepare-data") == (0, "under-way")

    def test_says_how_it_ended_the_run_and_says_so_again(self, call, does):
        does(Done("4 examples are too few", "no_data"))
        assert call("prepare-data") == (0, "no_data")
        assert call("prepare-data") == (0, "no_data")

    def test_keeps_a_log_where_the_worker_does(self, call, does, tmp_path):
        does(Done("well"))
        call("prepare-data", "--keep-log")
        assert "well" in (tmp_path / "runs" / RUN / "logs" / "prepare-data.log").read_text()

    def test_is_to_be_tried_again_while_something_is_away(self, call, does):
        does(Unavailable("rag is away"))
        assert call("prepare-data") == (os.EX_TEMPFAIL, None)

    def test_is_to_be_tried_again_after_a_surprise_but_not_for_ever(self, call, does):
        does(ZeroDivisionError("a surprise"))
        codes = [call("prepare-data")[0] for _ in range(MOST_ATTEMPTS + 1)]
        assert codes == [os.EX_TEMPFAIL] * (MOST_ATTEMPTS - 1) + [1, 1]

    def test_that_cannot_be_done_fails_for_good_and_again(self, call, does):
        does(StageFailed("no base model"))
        assert [call("prepare-data")[0] for _ in range(2)] == [1, 1]

    def test_before_its_turn_is_refused(self, call, does):
        assert call("gate") == (2, None)


class TestTheDatabase:
    @pytest.fixture
    def fails(self, monkeypatch):
        def with_(error: Exception) -> None:
            def fail(*_):
                raise error

            monkeypatch.setattr(SqlRuns, "add", fail)

        return with_

    def test_that_is_away_is_worth_another_try(self, call, fails):
        fails(Unavailable("The database of runs does not answer."))
        assert call("accept") == (os.EX_TEMPFAIL, None)

    def test_that_refuses_what_it_is_told_will_do_so_again(self, call, fails):
        fails(IntegrityError("INSERT", {}, ValueError("no such column")))
        assert call("accept") == (1, None)


def test_the_end_is_to_be_told_again_while_alert_bridge_is_away(call, runs):
    call("accept")
    assert call("report-end", "--status", "Failed")[0] == os.EX_TEMPFAIL
    assert runs.get(RUN).outcome == "failed"
