"""The parts' logs: plain files that the parts write to themselves, so that they survive a supervisor that does not."""

import os
import shutil
from collections import deque
from pathlib import Path
from typing import BinaryIO, Final

LONGEST_BYTES: Final = 10 * 1024 * 1024
_TAIL_BYTES: Final = 64 * 1024


def open_log(file: Path) -> BinaryIO:
    """For appending: then every write goes to the end, also after the file was cut."""
    return file.open("ab")


def cut(file: Path, longest: int = LONGEST_BYTES) -> None:
    """Keep what a long log says in `<name>.log.1` and begin anew; who writes to it need not know."""
    if file.stat().st_size > longest:
        shutil.copyfile(file, file.with_name(f"{file.name}.1"))
        os.truncate(file, 0)


def last_lines(file: Path, count: int) -> list[str]:
    """The end of a log; nothing when there is none."""
    if not file.exists():
        return []
    with file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        lines = log.read().decode(errors="replace").splitlines()
    return list(deque(lines, maxlen=count))
