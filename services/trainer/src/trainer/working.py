"""What the worker does about runs: one stage after the other, each in a process of its own, and what was left lying."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable

from trainer.improvement.runs import Carrier, Run, Status, cut_short, is_cut_short_for_good, is_stale, next_stage
from trainer.improvement.stages import Stage
from trainer.pipeline import give_up
from trainer.ports import RunQueue, RunStore
from trainer.signing import SIGN_EVERY
from trainer.steps.workspace import Workspace

log = structlog.get_logger(__name__)

BRIDGE = "alert-bridge"


class RunWorker:
    """Takes runs forward. What is done is known from SQL alone, so that any worker may go on with any run."""

    def __init__(
        self,
        runs: RunStore,
        queue: RunQueue,
        folder: Path,
        *,
        patience: timedelta,
        workflow_patience: timedelta = timedelta(hours=1),
    ) -> None:
        self._runs, self._queue, self._folder = runs, queue, folder
        self._patience, self._workflow_patience = patience, workflow_patience
        self._mine: set[str] = set()
        self._sent: dict[str, datetime] = {}
        """When `take_up` sent for a run that has not come back from the queue."""
        self._lock = threading.Lock()

    def start(self, order: RunOrder, *, by: str = BRIDGE) -> None:
        """Take an order; one that is known already changes nothing."""
        if self._runs.add(Run(order, by, datetime.now(UTC))):
            log.info("run_ordered", run=order.run_id, incident=order.incident, reason=order.reason)
        self._queue.advance(order.run_id)

    def advance(self, run_id: str) -> None:
        """Do the next stage of a run, unless it waits for another one, somebody is at it, or a workflow carries it
        out."""
        self._sent.pop(run_id, None)
        run = self._runs.get(run_id)
        if run is None or run.carrier is not Carrier.WORKER:
            return
        if (stage := next_stage(run)) is None or not self._is_first(run):
            return
        with self._lock:
            if run_id in self._mine or not self._claimed(run):
                return
            self._mine.add(run_id)
        try:
            self._do(run_id, stage)
        finally:
            self._mine.discard(run_id)
        self._go_on(run_id)

    def take_up(self) -> None:
        """Go on with runs that nobody works on: their worker died, or a message was lost. A workflow's run is its own,
        but one that fell silent for good must not keep others waiting."""
        now = datetime.now(UTC)
        for run in self._first_of_each_target():
            if run.carrier is Carrier.WORKFLOW:
                self._give_up_silent(run, now)
                continue
            quiet_since = max(filter(None, (self._runs.last_sign(run.id), self._sent.get(run.id))), default=None)
            if run.id not in self._mine and is_stale(run, quiet_since, now=now, patience=self._patience):
                log.info("run_taken_up", run=run.id, stage=next_stage(run))
                self._sent[run.id] = now
                self._queue.advance(run.id)

    def _give_up_silent(self, run: Run, now: datetime) -> None:
        patience = self._workflow_patience
        if is_stale(run, self._runs.last_sign(run.id), now=now, patience=patience):
            give_up(self._runs, run, f"Its workflow gave no sign of life for {patience}; was it deleted?")

    def _do(self, run_id: str, stage: Stage) -> None:
        """One stage as `python -m trainer <stage>`: what it takes of memory goes with it, whatever becomes of it."""
        command = [sys.executable, "-m", "trainer", stage.value, "--run", run_id]
        with Workspace(self._folder / run_id).log(stage.value).open("ab") as out:
            done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False)
        log.info("stage_ended", run=run_id, stage=stage.value, status=done.returncode)
        run = self._runs.get(run_id)
        if done.returncode < 0 and run is not None and run.outcome is None:
            log.warning("stage_killed", run=run_id, stage=stage.value, signal=-done.returncode)
            if (record := run.record_of(stage)) is not None and is_cut_short_for_good(record):
                give_up(self._runs, run, f"{cut_short(record)}; is there too little memory?")

    def _go_on(self, run_id: str) -> None:
        """The same run's next stage, or the next run. What failed is tried again later, when `take_up` finds it: who is
        away is seldom back at once."""
        try:
            for run in self._first_of_each_target():
                if not run.stages or (run.id == run_id and run.stages[-1].status is not Status.FAILED):
                    self._queue.advance(run.id)
        except Unavailable as exc:
            log.warning("run_waits", run=run_id, reason=exc.message)  # `take_up` finds it

    def _first_of_each_target(self) -> list[Run]:
        first: dict[str, Run] = {}
        for run in self._runs.unfinished():
            first.setdefault(run.order.target, run)
        return list(first.values())

    def _is_first(self, run: Run) -> bool:
        """One run at a time for a target; the others wait their turn."""
        return self._runs.unfinished(run.order.target)[0].id == run.id

    def _claimed(self, run: Run) -> bool:
        """Whether no other worker is at it, nor comes to be: a stage that is begun gives a sign every few seconds, and
        of those who see none the first to sign has it."""
        now, seen = datetime.now(UTC), self._runs.last_sign(run.id)
        begun = any(one.finished_at is None for one in run.stages)
        if begun and not is_stale(run, seen, now=now, patience=min(self._patience, 3 * SIGN_EVERY)):
            return False
        return self._runs.claim(run.id, seen, now=now)
