"""Seeing to it that MLflow knows every release of ours, with the alias that it has."""

from pathlib import Path

from opskit.contracts.reader import READER_MODEL
from opskit.contracts.releases import ReleaseBundle

from trainer.improvement.releases import State, alias_of
from trainer.ports import Readers, ReleaseStore, Tracker


def reader_of(readers: Readers, bundle: ReleaseBundle) -> Path | None:
    """The files of the reader that was made for a release; None where it reads with the one that Triton starts with,
    whose digest says enough. Raises FileNotFoundError."""
    return None if bundle.reader_model == READER_MODEL else readers.of_release(bundle)


class Registrar:
    """Tells MLflow what it was not told yet by this process; telling it again after a restart changes nothing."""

    def __init__(self, releases: ReleaseStore, tracker: Tracker, readers: Readers) -> None:
        self._releases, self._tracker, self._readers = releases, tracker, readers
        self._told: dict[str, tuple[State, str | None]] = {}

    def follow(self) -> None:
        """Register what is new, and move the aliases. Raises Unavailable, and FileNotFoundError for a reader whose
        files are gone."""
        every = self._releases.all()
        for release in every:
            if release.bundle is None or release.state in (State.SEEN, State.START):
                continue
            stands = (release.state, alias_of(release, every))
            if self._told.get(release.id) == stands:
                continue
            parts = self._releases.parts(release.id) or {}
            self._tracker.register(release, parts, reader_of(self._readers, release.bundle), run={})
            self._tracker.alias(release.id, stands[1])
            self._told[release.id] = stands
