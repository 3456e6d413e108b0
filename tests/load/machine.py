"""The machine that a figure was measured on, and how much of it others used meanwhile.

A latency measured beside a compiler says little. Whatever the processors did that neither the stack nor this program
asked for is written down with the figures.
"""

import os
import platform
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.stack import Stack


def members(stack: Stack) -> list[psutil.Process]:
    """Every process of the stack, with those that its parts have started."""
    found = {process.pid: process for process in stack.processes()}
    for process in list(found.values()):
        try:
            found |= {child.pid: child for child in process.children(recursive=True)}
        except psutil.NoSuchProcess:
            continue
    return list(found.values())


def description() -> Mapping[str, Any]:
    """What it is."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


class Bystanders:
    """Counts from its making on what others used. The stack's own work is no disturbance."""

    def __init__(self, stack: Stack | None) -> None:
        self._stack = stack
        self._began = time.monotonic()
        self._all = _spent_by_all()
        self._ours = self._spent_by_us()

    def share(self) -> float:
        """Of all processors, 0 to 1. Processes that began and ended within the stack meanwhile count as others."""
        elapsed = time.monotonic() - self._began
        ours = sum(spent - self._ours.get(pid, 0.0) for pid, spent in self._spent_by_us().items())
        return others_share(_spent_by_all() - self._all, ours, elapsed=elapsed, cores=os.cpu_count() or 1)

    def _spent_by_us(self) -> Mapping[int, float]:
        processes = members(self._stack) if self._stack else []
        return _spent([psutil.Process(), *processes])


def others_share(spent: float, ours: float, *, elapsed: float, cores: int) -> float:
    """The share of the machine's time that went to others, given processor seconds."""
    if elapsed <= 0:
        return 0.0
    return min(1.0, max(0.0, spent - ours) / (elapsed * cores))


def _spent_by_all() -> float:
    """Processor seconds of everybody, those included that the host of a virtual machine took for itself."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def _spent(processes: Iterable[psutil.Process]) -> Mapping[int, float]:
    spent: dict[int, float] = {}
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # Of children that have ended, which nobody can be asked about any more.
        spent[process.pid] = times.user + times.system + times.children_user + times.children_system
    return spent


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
