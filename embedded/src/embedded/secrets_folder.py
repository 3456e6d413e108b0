"""The secrets of one stack: made once, readable by their owner alone."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Secrets:
    """What the parts prove themselves with."""

    internal_token: str
    admin_key: str
    webhook_token: str
    webhook_token_file: Path


def open_secrets(folder: Path) -> Secrets:
    """The stack's secrets, made when they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    webhook_token_file = folder / "webhook_token"
    return Secrets(
        internal_token=_kept(folder / "internal_token", secrets.token_urlsafe(32)),
        admin_key=_kept(folder / "admin_key", f"nx_{secrets.token_urlsafe(32)}"),
        webhook_token=_kept(webhook_token_file, secrets.token_urlsafe(32)),
        webhook_token_file=webhook_token_file,
    )


def _kept(file: Path, fresh: str) -> str:
    if not (file.exists() and file.stat().st_size):
        write_private(file, fresh)
    return file.read_text().strip()


def write_private(file: Path, text: str) -> None:
    """Write whole or not at all, and never for a moment readable by others."""
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    draft.replace(file)
