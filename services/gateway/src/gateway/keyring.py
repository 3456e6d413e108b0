"""Who is at the door: keys looked up in the store and believed for a moment, so that the hot path asks no database.

A revocation is seen at once by the process that made it and within the lifetime of an entry by every other.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from opskit.errors import Unauthenticated

from gateway.keys import KeyRecord, key_id_of, opens
from gateway.ports import KeyStore

MAX_ENTRIES = 10_000


@dataclass(frozen=True)
class _Entry:
    record: KeyRecord | None
    good_until: float


class KeyRing:
    """Keys with a short memory. Unknown ids are remembered too, and the memory is bounded."""

    def __init__(self, store: KeyStore, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    async def authenticate(self, secret: str) -> KeyRecord:
        """The record that `secret` opens. Raises Unauthenticated, or KeysUnavailable when it cannot be known."""
        record = await self._find(key_id_of(secret))
        if not opens(record, secret):
            raise Unauthenticated("This API key is not known, or it was revoked.")
        assert record is not None
        return record

    def forget(self, key_id: str) -> None:
        """Look this key up afresh next time."""
        self._entries.pop(key_id, None)

    async def _find(self, key_id: str) -> KeyRecord | None:
        now = self._clock()
        entry = self._entries.get(key_id)
        if entry is not None and now < entry.good_until:
            return entry.record
        record = await asyncio.to_thread(self._store.find, key_id)
        self._entries[key_id] = _Entry(record, now + self._seconds)
        self._entries.move_to_end(key_id)
        if len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
        return record
