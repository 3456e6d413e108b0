"""How much is taken on at once. What does not fit is turned away at once: a queue would only move the wait."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import Overloaded
from gateway.metrics import IN_FLIGHT, SHED

RETRY_AFTER_SECONDS = 1


class Slots:
    """At most `size` things of one kind in flight."""

    def __init__(self, kind: str, size: int) -> None:
        self._kind = kind
        self._size = size
        self._taken = 0
        self._gauge = IN_FLIGHT.labels(kind)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold one slot. Raises Overloaded when none is free."""
        if self._taken >= self._size:
            SHED.labels(self._kind).inc()
            raise Overloaded(
                f"{self._size} {self._kind} are being served just now, which is the limit; try again in a moment.",
                retry_after=RETRY_AFTER_SECONDS,
            )
        self._taken += 1
        self._gauge.inc()
        try:
            yield
        finally:
            self._taken -= 1
            self._gauge.dec()
