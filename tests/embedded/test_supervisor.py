"""Keeping real processes running."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from embedded.processes import Part, Probe
from embedded.record import StackRecord, State, load
from embedded.supervisor import Supervisor

from embedded import sessions

LISTENS = "import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(600)"
DIES = "raise SystemExit(3)"

Look = Callable[[Callable[[StackRecord], bool]], Awaitable[StackRecord]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def python_part(name: str, code: str, *, port: int, needs: tuple[str, ...] = (), grace: float = 5.0) -> Part:
    """A part that is a few lines of Python; ready when somebody listens at its port."""
    command, url = (sys.executable, "-c", code), f"http://127.0.0.1:{port}"
    return Part(name, command, {"PATH": "/usr/bin:/bin"}, Probe("port", port), url, needs, grace_seconds=grace)


def listener(name: str, *needs: str) -> Part:
    port = free_port()
    return python_part(name, LISTENS.format(port=port), port=port, needs=needs)


@asynccontextmanager
async def supervised(parts: Sequence[Part], folder) -> AsyncIterator[Look]:
    """Run the supervisor in this process; gives a way to wait for its record to say something."""
    own = sessions.identify(os.getpid())
    assert own is not None
    file = folder / "state.json"
    work = asyncio.create_task(Supervisor(parts, StackRecord(own, "digest"), file, folder, folder).run())

    async def until(says: Callable[[StackRecord], bool]) -> StackRecord:
        async with asyncio.timeout(20):
            while (found := load(file)) is None or not says(found):
                assert not work.done(), "the supervisor goes on"
                await asyncio.sleep(0.02)
            return found

    try:
        yield until
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await work
        found = load(file)
        assert found is not None
        assert {record.state for record in found.parts.values()} == {State.STOPPED}
        assert all(record.process is None for record in found.parts.values()), "nothing is left running"


def is_ready(*names: str) -> Callable[[StackRecord], bool]:
    return lambda record: all(record.parts[name].state is State.READY for name in names)


async def test_a_part_starts_when_what_it_needs_is_ready(tmp_path):
    async with supervised([listener("second", "first"), listener("first")], tmp_path) as until:
        found = await until(is_ready("first", "second"))
        assert found.parts["second"].process.born >= found.parts["first"].process.born


async def test_a_part_whose_need_is_not_ready_waits(tmp_path):
    never = python_part("never", "import time; time.sleep(600)", port=free_port())
    async with supervised([never, listener("after", "never")], tmp_path) as until:
        found = await until(lambda record: record.parts["never"].reason == "does not listen yet")
        assert found.parts["after"].state is State.WAITING
        assert found.parts["after"].process is None


async def test_a_part_that_is_killed_is_started_again_and_counted(tmp_path):
    async with supervised([listener("one")], tmp_path) as until:
        first = (await until(is_ready("one"))).parts["one"].process
        os.kill(first.pid, signal.SIGKILL)
        found = await until(lambda record: record.parts["one"].restarts == 1 and is_ready("one")(record))
        assert found.parts["one"].process != first
        assert found.parts["one"].failures == 0


async def test_a_part_that_always_dies_says_how_and_how_often(tmp_path):
    async with supervised([python_part("ill", DIES, port=free_port())], tmp_path) as until:
        found = await until(lambda record: record.parts["ill"].failures >= 2)
        assert "ended with status 3" in found.parts["ill"].reason


async def test_a_program_that_is_not_there_is_named_and_stops_nobody_else(tmp_path):
    missing = Part("missing", ("/nonexistent/program",), {}, listener("x").probe, "")
    async with supervised([missing, listener("well")], tmp_path) as until:
        found = await until(
            lambda record: is_ready("well")(record) and "cannot be started" in record.parts["missing"].reason
        )
        assert "/nonexistent/program" in found.parts["missing"].reason


@pytest.mark.parametrize("code", ["import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LISTENS])
async def test_one_that_ignores_sigterm_is_stopped_all_the_same(tmp_path, code):
    port = free_port()
    stubborn = python_part("stubborn", code.format(port=port), port=port, grace=0.2)
    async with supervised([stubborn], tmp_path) as until:
        process = (await until(is_ready("stubborn"))).parts["stubborn"].process
    assert not sessions.is_alive(process)
