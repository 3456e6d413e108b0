"""A worker's sign of life: as long as it beats, what it claimed stays its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ingest.claims import LEASE, Claims

log = structlog.get_logger(__name__)


class Heartbeat:
    """Beats for the claims being worked on, from a thread of its own, and for no others: a claim whose end could not be
    recorded falls silent and is taken back."""

    def __init__(self, claims: Claims, owner: str) -> None:
        self._claims = claims
        self._owner = owner
        self._working: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Beat no more: a beat under way is waited for, as it would shorten a lease that is lengthened after this."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    @contextmanager
    def working_on(self, document_id: str) -> Iterator[None]:
        """Beat for this document while the block runs."""
        with self._lock:
            self._working.add(document_id)
        try:
            yield
        finally:
            with self._lock:
                self._working.discard(document_id)

    def _run(self) -> None:
        while not self._stop.wait(LEASE.total_seconds() / 4):
            with self._lock:
                working = list(self._working)
            if not working:
                continue
            try:
                self._claims.beat(self._owner, working)
            except SQLAlchemyError:
                log.warning("heartbeat_missed", exc_info=True)
