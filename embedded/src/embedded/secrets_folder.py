"""The secrets of one stack: made once, readable by their owner alone."""

from dataclasses import dataclass
from pathlib import Path

from provisioning.secret_making import admin_key, token
from provisioning.whole_files import kept


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
        internal_token=kept(folder / "internal_token", token),
        admin_key=kept(folder / "admin_key", admin_key),
        webhook_token=kept(webhook_token_file, token),
        webhook_token_file=webhook_token_file,
    )
