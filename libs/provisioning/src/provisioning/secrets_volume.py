"""The volume of secrets: `generated/`, which root alone reads, and a folder for each reader."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from provisioning import whole_files
from provisioning.errors import CannotProvision
from provisioning.secret_table import READERS, of_reader
from provisioning.settling import Settled

_GENERATED: Final = "generated"
_OWN_FOLDER: Final = 0o500
_OWN_FILE: Final = 0o400


def provided_in(folder: Path) -> dict[str, str]:
    """What the user put there, by name, without the space around it; notes (README, .gitignore) are left out."""
    if not folder.is_dir():
        return {}
    found = [file for file in sorted(folder.iterdir()) if not file.name.startswith((".", "README"))]
    return {file.name: _read(file) for file in found}


def kept_in(secrets: Path) -> dict[str, str]:
    """What was made at an earlier start. An empty file is as good as none."""
    folder = secrets / _GENERATED
    found = {file.name: _read(file) for file in sorted(folder.glob("*")) if not file.name.endswith(".new")}
    return {name: value for name, value in found.items() if value}


def hand_over(secrets: Path, settled: Settled) -> None:
    """Keep what was made, then give every reader its files; what it has already stays untouched."""
    _folder(secrets / _GENERATED, owner=os.geteuid(), mode=0o700)
    for name, value in settled.made.items():
        whole_files.write(secrets / _GENERATED / name, value)
    for reader, owner in READERS.items():
        _give(secrets / reader, owner, of_reader(reader, settled.values))


def _give(folder: Path, owner: int, files: Mapping[str, str]) -> None:
    _folder(folder, owner=owner, mode=_OWN_FOLDER)
    for gone in {file.name for file in folder.iterdir()} - files.keys():
        (folder / gone).unlink()
    for name, value in files.items():
        file = folder / name
        if not (_is(file, owner, _OWN_FILE) and file.read_text() == value):
            whole_files.write(file, value, mode=_OWN_FILE, owner=owner)


def _folder(folder: Path, *, owner: int, mode: int) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is(folder, owner, mode):
        folder.chmod(mode)
        os.chown(folder, owner, owner)


def _is(path: Path, owner: int, mode: int) -> bool:
    if not path.exists():
        return False
    found = path.stat()
    return (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (owner, owner, mode)


def _read(file: Path) -> str:
    if not file.is_file():
        raise CannotProvision(f"{file} has to be a file with the secret in it, and is none")
    try:
        return file.read_text().strip()
    except UnicodeDecodeError as exc:
        raise CannotProvision(f"{file} is not text") from exc
