"""What the gateway's logic needs of the outside, as small as it gets. Adapters and test doubles satisfy these."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from gateway.keys import KeyRecord


class KeyStore(Protocol):
    """Where keys are kept. Blocking: call it off the event loop. Raises KeysUnavailable."""

    def find(self, key_id: str) -> KeyRecord | None:
        """The key with this id, revoked or not."""

    def list(self) -> Sequence[KeyRecord]:
        """All keys, oldest first."""

    def put(self, record: KeyRecord) -> None:
        """Keep a key; one with the same id is replaced."""

    def revoke(self, key_id: str, at: datetime) -> KeyRecord | None:
        """Close a key for ever; an already closed one keeps its first date. None when there is no such key."""


@dataclass(frozen=True)
class UsageKey:
    """What usage is counted by."""

    day: date
    tenant: str
    key_id: str


@dataclass
class UsageCount:
    """Sums; tokens are those the answers reported."""

    requests: int = 0
    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, other: "UsageCount") -> None:
        """Add `other` to this."""
        self.requests += other.requests
        self.answers += other.answers
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens


class UsageStore(Protocol):
    """Where usage is kept. Blocking: call it off the event loop."""

    def add(self, counts: Mapping[UsageKey, UsageCount]) -> None:
        """Add the counts to what is stored, all or none."""

    def list(self, *, since: date) -> Sequence[tuple[UsageKey, UsageCount]]:
        """What was counted from `since` on, newest day first."""


@dataclass(frozen=True)
class Verdict:
    """May this request go on, and if not, in how many seconds again?"""

    allowed: bool
    retry_after: int = 0


class RateLimiter(Protocol):
    """Counts the requests of a key."""

    async def hit(self, key_id: str) -> Verdict:
        """Count one request. Raises LimiterDown when the counts cannot be reached."""


@dataclass(frozen=True)
class Call:
    """One request to a service. `path` is already percent-encoded."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    content: bytes | AsyncIterable[bytes] | None = None


@dataclass(frozen=True)
class Reply:
    """The head of a service's answer, and its body as raw bytes to be read once."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


class Upstream(Protocol):
    """A service behind the gateway."""

    @property
    def name(self) -> str:
        """Its name in metrics and messages."""

    def open(self, call: Call) -> AbstractAsyncContextManager[Reply]:
        """Ask it. Raises ServiceDown; reading the chunks raises ReplyBroken. Leaving early drops the connection, so
        that the service stops working."""
