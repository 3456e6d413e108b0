"""`make logs`: the parts' logs, line by line as they come."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from embedded import running
from embedded.errors import CannotStart
from embedded.log_files import last_lines
from embedded.stack import Stack

_LINES_EACH: Final = 5
_LINES_OF_ONE: Final = 100
_LOOK_AGAIN_SECONDS: Final = 0.25


def follow(stack: Stack, part: str | None) -> int:
    """Print what is there, then what comes, until the stack is stopped or the reader leaves."""
    files = _files(stack, part)
    width = max(len(file.stem) for file in files)
    logs = [_Log(file, f"{file.stem:<{width}} | " if part is None else "") for file in files]
    for log in logs:
        log.show_last(_LINES_EACH if part is None else _LINES_OF_ONE)
    while running.now(stack) is not None:
        for log in logs:
            log.show_new()
        time.sleep(_LOOK_AGAIN_SECONDS)
    print("Nexus is not running.")
    return 0


def _files(stack: Stack, part: str | None) -> Sequence[Path]:
    files = sorted(stack.logs.glob("*.log"))
    if not files:
        raise CannotStart("There are no logs yet: make up starts the stack")
    chosen = [file for file in files if part in (None, file.stem)]
    if not chosen:
        raise CannotStart(f"{part} has no log; there are logs of {', '.join(file.stem for file in files)}")
    return chosen


class _Log:
    """One file that others write to, and cut when it is long."""

    def __init__(self, file: Path, prefix: str) -> None:
        self._file = file
        self._prefix = prefix
        self._read = file.stat().st_size

    def show_last(self, count: int) -> None:
        self._print(last_lines(self._file, count))

    def show_new(self) -> None:
        size = self._file.stat().st_size
        if size < self._read:
            self._read = 0
        if size == self._read:
            return
        with self._file.open("rb") as log:
            log.seek(self._read)
            whole, _, _ = log.read(size - self._read).rpartition(b"\n")
        if whole:
            self._read += len(whole) + 1
            self._print(whole.decode(errors="replace").splitlines())

    def _print(self, lines: Sequence[str]) -> None:
        for line in lines:
            print(f"{self._prefix}{line}", flush=True)
