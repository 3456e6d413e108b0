"""API keys as values: how one is made, recognised and compared, and what its scopes allow. No I/O.

A key reads `nx_<id>_<secret>`: the id is public and finds the row, the secret is 256 random bits of which only the
SHA-256 is kept (a slow hash guards guessable passwords; these cannot be guessed). The bootstrap key is the operator's
own text, so it carries no id and is found under `BOOTSTRAP_ID`.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Scope = Literal["chat", "documents", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

BOOTSTRAP_ID = "key_bootstrap"
BOOTSTRAP_MIN_LENGTH = 24
BOOTSTRAP_MIN_DISTINCT = 8
_ISSUED = re.compile(r"nx_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_KEY_ID = re.compile(r"key_[0-9a-z]{1,32}")


@dataclass(frozen=True)
class KeyRecord:
    """What is kept of a key."""

    id: str
    digest: str
    name: str
    tenant: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class IssuedKey:
    """A new key with its secret: the only moment both are together."""

    record: KeyRecord
    secret: str


def issue(*, name: str, tenant: str, scopes: Iterable[Scope], now: datetime) -> IssuedKey:
    """Make a new key."""
    public = secrets.token_hex(6)
    secret = f"nx_{public}_{secrets.token_urlsafe(32)}"
    record = KeyRecord(f"key_{public}", digest_of(secret), name, tenant, frozenset(scopes), now)
    return IssuedKey(record, secret)


def bootstrap(secret: str, *, tenant: str, now: datetime) -> KeyRecord:
    """The record of the operator's own admin key."""
    return KeyRecord(BOOTSTRAP_ID, digest_of(secret), "bootstrap", tenant, frozenset({"admin"}), now)


def key_id_of(secret: str) -> str:
    """The id under which this key would be stored."""
    issued = _ISSUED.fullmatch(secret)
    return f"key_{issued[1]}" if issued else BOOTSTRAP_ID


def is_key_id(text: str) -> bool:
    """Whether a key could have this id."""
    return _KEY_ID.fullmatch(text) is not None


def digest_of(secret: str) -> str:
    """What is stored instead of the key."""
    return hashlib.sha256(secret.encode()).hexdigest()


def opens(record: KeyRecord | None, secret: str) -> bool:
    """Whether `secret` is the living key of `record`. Takes as long without a record as with one."""
    expected = record.digest if record else digest_of("")
    same = hmac.compare_digest(expected, digest_of(secret))
    return same and record is not None and record.revoked_at is None


def allows(held: Iterable[Scope], wanted: Iterable[Scope]) -> bool:
    """Whether holding the scopes `held` is enough where any of `wanted` is. Admin is enough everywhere."""
    return not {"admin", *wanted}.isdisjoint(held)


def weakness(secret: str) -> str | None:
    """Why a key an operator chose is too easy to guess, or None."""
    if len(secret) < BOOTSTRAP_MIN_LENGTH:
        return f"must have at least {BOOTSTRAP_MIN_LENGTH} characters; `openssl rand -hex 32` makes a good one"
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        return "must be printable ASCII without spaces, because it travels in a header"
    if len(set(secret)) < BOOTSTRAP_MIN_DISTINCT:
        return "repeats too few characters; `openssl rand -hex 32` makes a good one"
    return None
