"""Processes by what they are, never by name: a pid with its start time, and everything in the session it leads.

Each part leads a session of its own. A pid is given out again one day, its start time is not.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_LOOK_AGAIN_SECONDS: Final = 0.05
_LEFTOVERS_SECONDS: Final = 2.0
_KILLING_SECONDS: Final = 10.0
"""Only a process stuck in the kernel takes longer, and nobody can help it."""


@dataclass(frozen=True)
class Identity:
    """One process, told from every later one with the same pid."""

    pid: int
    born: int
    """Clock ticks from the machine's boot to the start of the process."""


def identify(pid: int, *, also_dead: bool = False) -> Identity | None:
    """The process that has this pid now; None when it is gone. One that died and waits to be collected by its parent
    counts only where asked for."""
    try:
        # The name, in parentheses, may hold anything; what follows it is plain.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in "ZX" and not also_dead:
        return None
    return Identity(pid, int(fields[19]))


def is_alive(identity: Identity) -> bool:
    """Is it still that same process?"""
    return identify(identity.pid) == identity


def members(leader: Identity) -> Iterator[Identity]:
    """Every living process of the session, also when its leader has gone."""
    now = identify(leader.pid)
    if now is not None and now != leader:
        return  # the pid belongs to somebody else now, so the session is over
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            session = os.getsid(int(entry.name))
        except (ProcessLookupError, PermissionError):
            continue
        if session != leader.pid:
            continue
        found = identify(int(entry.name))
        if found is not None and found.born >= leader.born:
            yield found


def resident_bytes(leader: Identity) -> int:
    """Memory of the whole session."""
    return sum(_resident(found.pid) for found in members(leader))


def end(leader: Identity, *, grace_seconds: float) -> None:
    """Ask the leader to stop, then whoever it left behind, and kill what does not."""
    _signal(leader, signal.SIGTERM)
    _wait_until(lambda: not is_alive(leader), grace_seconds)
    if not any(members(leader)):
        return
    for left in members(leader):
        _signal(left, signal.SIGTERM)
    _wait_until(lambda: not any(members(leader)), _LEFTOVERS_SECONDS)

    def killed() -> bool:
        for left in members(leader):
            _signal(left, signal.SIGKILL)
        return not any(members(leader))

    _wait_until(killed, _KILLING_SECONDS)


def _wait_until(done: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(_LOOK_AGAIN_SECONDS)


def _signal(identity: Identity, number: signal.Signals) -> None:
    if is_alive(identity):
        try:
            os.kill(identity.pid, number)
        except ProcessLookupError:
            return


def _resident(pid: int) -> int:
    try:
        pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
