"""A training on several machines: retrain-model starts it on one, and the others join in with the very same command.

The launcher has to be one whose processes find one another, such as torchrun with `--nnodes` and a rendezvous.
"""

import subprocess
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from trainer.improvement.runs import Run, Status
from trainer.improvement.stages import Stage
from trainer.ports import RunStore
from trainer.steps.tools import Say
from trainer.steps.workspace import Workspace, read_json, write_json

LOOK_EVERY: Final = timedelta(seconds=2)


def launch(command: Sequence[str], work: Workspace, say: Say) -> None:
    """Run the command; while it runs, others find it in the run's folder. Raises CalledProcessError."""
    write_json(work.launched, list(command))
    try:
        run_aloud(command, say)
    finally:
        work.launched.unlink(missing_ok=True)


def join(runs: RunStore, run_id: str, work: Workspace, say: Say, *, look_every: timedelta = LOOK_EVERY) -> None:
    """Take part in the run's training until it is done; at once when it is. Raises CalledProcessError when the part
    that was taken failed: it may be taken again."""
    while not _is_trained(runs.get(run_id)):
        try:
            command = read_json(work.launched)
        except FileNotFoundError:
            time.sleep(look_every.total_seconds())
            continue
        say("Joining in")
        run_aloud(command, say)
        return


def run_aloud(command: Sequence[str], say: Say) -> None:
    """Say what the command says. Raises CalledProcessError."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            say(line.rstrip("\n"))
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, " ".join(command[:3]))


def _is_trained(run: Run | None) -> bool:
    if run is None:
        return False  # its order is still on the way
    record = run.record_of(Stage.RETRAIN)
    return run.outcome is not None or (record is not None and record.status is Status.DONE)
