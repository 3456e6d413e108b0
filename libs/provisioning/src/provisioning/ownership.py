"""Volumes belong to the users that write to them: an engine hands them out as root's."""

import os
from pathlib import Path

from provisioning.errors import CannotProvision
from provisioning.secret_table import READERS


def owner_of(text: str) -> tuple[Path, int]:
    """`/volumes/serving=trainer` or `/volumes/redis=999`: a folder, and the part or the number of its user."""
    folder, _, user = text.rpartition("=")
    if not folder or not (user in READERS or user.isdecimal()):
        raise CannotProvision(f"--owner {text}: a folder and its user are expected, as in /volumes/serving=trainer")
    return Path(folder), READERS[user] if user in READERS else int(user)


def give(folder: Path, owner: int) -> None:
    """Everything in it, and the folder itself last, so that a change that was interrupted begins anew. A folder that
    has its owner is not walked through: it may hold millions of files."""
    if not folder.is_dir():
        raise CannotProvision(f"--owner {folder}: there is no such folder; is the volume mounted there?")
    if folder.stat().st_uid == owner:
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent) / name, owner, owner, follow_symlinks=False)
    os.chown(folder, owner, owner)
