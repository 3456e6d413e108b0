"""How a secret is made, and when one that somebody chose is too weak. Pure, but for chance."""

import secrets
from typing import Final

MIN_DISTINCT: Final = 8
_ADVICE: Final = "`openssl rand -hex 32` makes a good one"


def token() -> str:
    """256 bits, for a header."""
    return secrets.token_urlsafe(32)


def admin_key() -> str:
    """A key of the gateway that may do everything."""
    return f"nx_{secrets.token_urlsafe(32)}"


def password() -> str:
    """192 bits in 32 characters: S3 servers want no secret longer than 40."""
    return secrets.token_urlsafe(24)


def user_name() -> str:
    """A name that nobody guesses, short enough for an S3 access key."""
    return f"nexus-{secrets.token_hex(6)}"


def weakness(secret: str, at_least: int) -> str | None:
    """Why a secret that somebody chose is too easy to guess, or cannot be used; None when it is good. The gateway
    judges its own admin key in the same way."""
    if len(secret) < at_least:
        return f"must have at least {at_least} characters; {_ADVICE}"
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        return "must be one line of printable ASCII without spaces"
    if len(set(secret)) < min(MIN_DISTINCT, at_least):
        return f"repeats too few characters; {_ADVICE}"
    return None
