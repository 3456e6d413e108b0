"""Files that are written whole or not at all, and never for a moment readable by more than they may be."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600
PUBLIC: Final = 0o644


def write(file: Path, text: str, *, mode: int = PRIVATE, owner: int | None = None) -> None:
    """Put the text there, under its name at once. It is on the disk before: a secret that a power cut turned into an
    empty file would be made anew, and open nothing any more."""
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w") as handle:
        os.fchmod(handle.fileno(), mode)
        if owner is not None:
            os.fchown(handle.fileno(), owner, owner)
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(file)
    _sync(file.parent)


def kept(file: Path, make: Callable[[], str]) -> str:
    """What the file says, without the space around it; made when there is nothing yet."""
    if not (file.exists() and file.stat().st_size):
        write(file, make())
    return file.read_text().strip()


def _sync(folder: Path) -> None:
    """A name is on the disk when its folder is."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
