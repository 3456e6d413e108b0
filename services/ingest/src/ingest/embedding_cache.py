"""Vectors made before, by embedder and text: a chunk that did not change is never embedded twice, not even after its
document was deleted and came back, or the index was lost."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ingest.catalogue import Clock, utc_now
from ingest.ports import Vectors
from ingest.tables import Embedding

_AT_ONCE: Final = 500
_FORMAT: Final = "<f4"


def digest_of(text: str) -> bytes:
    """What a text is known by."""
    return hashlib.sha256(text.encode()).digest()


class EmbeddingCache:
    """Vectors in SQL."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    def known(self, fingerprint: str, digests: Sequence[bytes]) -> Mapping[bytes, NDArray[np.float32]]:
        """The vectors there are."""
        found: dict[bytes, NDArray[np.float32]] = {}
        with Session(self._engine) as session:
            for at in range(0, len(digests), _AT_ONCE):
                query = select(Embedding.digest, Embedding.vector).where(
                    Embedding.fingerprint == fingerprint, Embedding.digest.in_(digests[at : at + _AT_ONCE])
                )
                for digest, vector in session.execute(query):
                    found[digest] = np.frombuffer(vector, dtype=_FORMAT).astype(np.float32)
        return found

    def keep(self, fingerprint: str, digests: Sequence[bytes], vectors: Vectors) -> None:
        """Remember vectors; one that is known already stays as it is."""
        now = self._clock()
        rows = [
            {"fingerprint": fingerprint, "digest": digest, "vector": vector.astype(_FORMAT).tobytes(), "made_at": now}
            # In one order for all: two writers that wait for each other's rows would be a deadlock in PostgreSQL.
            for digest, vector in sorted(zip(digests, vectors, strict=True), key=lambda pair: pair[0])
        ]
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        with Session(self._engine) as session, session.begin():
            session.execute(insert(Embedding).on_conflict_do_nothing(), rows)
