"""Documents that were given up, visible and replayable."""

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from ingest.tables import DeadLetter


class DeadLetters:
    """A look at the dead letters. They are written and removed together with the catalogue's rows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, tenant: str, *, limit: int) -> list[DeadLetter]:
        """The tenant's dead letters, the latest first."""
        query = select(DeadLetter).where(DeadLetter.tenant == tenant).order_by(DeadLetter.failed_at.desc())
        with Session(self._engine) as session:
            return list(session.scalars(query.limit(limit)))

    def find(self, tenant: str, letter_id: str) -> DeadLetter | None:
        """One of the tenant's dead letters."""
        with Session(self._engine) as session:
            letter = session.get(DeadLetter, letter_id)
        return letter if letter is not None and letter.tenant == tenant else None

    def all(self) -> list[DeadLetter]:
        """Every tenant's, the latest first."""
        with Session(self._engine) as session:
            return list(session.scalars(select(DeadLetter).order_by(DeadLetter.failed_at.desc())))
