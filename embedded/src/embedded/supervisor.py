"""Keeps the parts running until it is told to stop.

It starts a part when all the part needs are ready, writes what it did to the record, starts again what dies, and at the
end stops everything in the opposite order. It knows processes and probes, and nothing of this stack.
"""

import asyncio
import functools
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from embedded import sessions
from embedded.log_files import cut, open_log
from embedded.probes import trouble
from embedded.processes import Part
from embedded.record import PartRecord, StackRecord, State
from embedded.restarts import Deaths

_EAGER_PROBES: Final = 60
_SILENCES_ARE_TROUBLE: Final = 2
_CUT_LOGS_SECONDS: Final = 10.0


class Supervisor:
    """Runs one list of parts once."""

    def __init__(self, parts: Sequence[Part], record: StackRecord, record_file: Path, logs: Path, cwd: Path) -> None:
        self._parts = {part.name: part for part in parts}
        self._record = record
        self._record_file = record_file
        self._logs = logs
        self._cwd = cwd
        self._ready = {part.name: asyncio.Event() for part in parts}
        self._ready_at: dict[str, float] = {}
        self._stopped = {part.name: asyncio.Event() for part in parts}
        # Probes and stops block, and all of them may at the same time.
        self._threads = ThreadPoolExecutor(max_workers=2 * len(parts) + 2, thread_name_prefix="part")
        record.parts = {part.name: PartRecord(since=time.time()) for part in parts}

    async def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        self._save()
        work = [asyncio.create_task(self._keep(part)) for part in self._parts.values()]
        work.append(asyncio.create_task(self._cut_logs()))
        waiting = asyncio.create_task(told.wait())
        done, _ = await asyncio.wait([waiting, *work], return_when=asyncio.FIRST_COMPLETED)
        for task in (waiting, *work):
            task.cancel()
        await asyncio.gather(waiting, *work, return_exceptions=True)
        _say("stopping all parts")
        await asyncio.gather(*(self._stop(part) for part in self._parts.values()))
        self._threads.shutdown()
        for task in done - {waiting}:
            task.result()  # a part is kept for ever, so only a mistake of ours ends it: let it be seen

    async def _keep(self, part: Part) -> None:
        """Life after life of one part."""
        for name in part.needs:
            if name in self._ready:
                await self._ready[name].wait()
        deaths = Deaths()
        record = self._record.parts[part.name]
        while True:
            why, ready_for = await self._live(part)
            deaths = deaths.after(ready_for=ready_for)
            _say(f"{part.name} {why}; it starts again in {deaths.wait_seconds:g} s")
            record.restarts += 1
            record.failures += 1
            self._enter(part, State.RESTARTING, why)
            await self._end_session(part, grace_seconds=0.0)
            await asyncio.sleep(deaths.wait_seconds)

    async def _live(self, part: Part) -> tuple[str, float | None]:
        """One life: how it ended, and for how long the part had been ready (None: it never was)."""
        try:
            process = self._start(part)
        except OSError as exc:
            return f"cannot be started: {exc.strerror}: {exc.filename}", None
        watching = asyncio.create_task(self._watch(part))
        try:
            await _exit_of(process)
        finally:
            watching.cancel()
        ready_at = self._ready_at.get(part.name)
        return _cause_of_death(process.wait()), None if ready_at is None else time.monotonic() - ready_at

    def _start(self, part: Part) -> "subprocess.Popen[bytes]":
        """No `await` in here: a process that runs is a process in the record."""
        if part.emptied is not None:
            shutil.rmtree(part.emptied, ignore_errors=True)
        with open_log(self._logs / f"{part.name}.log") as log:
            process = subprocess.Popen(
                part.command,
                env=part.environment,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._record.parts[part.name].process = sessions.identify(process.pid, also_dead=True)
        self._ready_at.pop(part.name, None)
        self._enter(part, State.STARTING)
        _say(f"{part.name} started as process {process.pid}")
        return process

    async def _watch(self, part: Part) -> None:
        """Ask the part how it is for as long as it lives. One silence is not trouble: it may be busy."""
        record, silences = self._record.parts[part.name], 0
        for asked in itertools.count():
            why = await asyncio.get_running_loop().run_in_executor(self._threads, trouble, part.probe)
            silences = silences + 1 if why else 0
            if why is None and record.state != State.READY:
                record.failures = 0
                self._ready_at.setdefault(part.name, time.monotonic())
                self._enter(part, State.READY)
                self._ready[part.name].set()
            elif why and record.state == State.READY and silences >= _SILENCES_ARE_TROUBLE:
                self._enter(part, State.NOT_READY, why)
            elif why and record.state != State.READY and record.reason != why:
                record.reason = why
                self._save()
            await asyncio.sleep(_until_next_probe(record.state, asked))

    async def _stop(self, part: Part) -> None:
        """After all that need it."""
        for other in self._parts.values():
            if part.name in other.needs:
                await self._stopped[other.name].wait()
        await self._end_session(part, grace_seconds=part.grace_seconds)
        self._enter(part, State.STOPPED)
        self._stopped[part.name].set()

    async def _end_session(self, part: Part, *, grace_seconds: float) -> None:
        process = self._record.parts[part.name].process
        if process is None:
            return
        stop = functools.partial(sessions.end, process, grace_seconds=grace_seconds)
        await asyncio.get_running_loop().run_in_executor(self._threads, stop)
        self._record.parts[part.name].process = None

    async def _cut_logs(self) -> None:
        while True:
            for log in self._logs.glob("*.log"):
                cut(log)
            await asyncio.sleep(_CUT_LOGS_SECONDS)

    def _enter(self, part: Part, state: State, reason: str = "") -> None:
        record = self._record.parts[part.name]
        record.state, record.since, record.reason = state, time.time(), reason
        self._save()

    def _save(self) -> None:
        try:
            self._record.save(self._record_file)
        except OSError as exc:
            _say(f"the record cannot be written: {exc}")  # a full disk must not take the stack down


def _until_next_probe(state: State, asked: int) -> float:
    """Often while it starts; a start that takes long is asked less, so that its log stays readable."""
    if state is State.READY:
        return 5.0
    return 0.2 if state is State.STARTING and asked < _EAGER_PROBES else 1.0


async def _exit_of(process: "subprocess.Popen[bytes]") -> None:
    """Return when the process has died; costs nothing until then."""
    watched = os.pidfd_open(process.pid)
    loop, died = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(watched, died.set)
    try:
        await died.wait()
    finally:
        loop.remove_reader(watched)
        os.close(watched)


def _cause_of_death(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {line}", flush=True)
