"""Names for file contents."""

import hashlib
from pathlib import Path


def file_digest(path: Path) -> str:
    """sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path, names: tuple[str, ...]) -> str:
    """sha256 over the named files of a folder, in that order."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name}\0{file_digest(folder / name)}\n".encode())
    return digest.hexdigest()
