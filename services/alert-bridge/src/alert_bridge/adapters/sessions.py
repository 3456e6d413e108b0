"""Transactions on the database of alert-bridge."""

from collections.abc import Iterator
from contextlib import contextmanager

from opskit.database import DATABASE_AWAY
from opskit.errors import Unavailable
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session


class Sessions:
    """Makes them. Each is committed when its block ends well; Unavailable is raised when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        sqlite = engine.dialect.name == "sqlite"
        self._lock = text("BEGIN IMMEDIATE" if sqlite else "LOCK TABLE incidents IN SHARE ROW EXCLUSIVE MODE")

    @contextmanager
    def open(self) -> Iterator[Session]:
        """A transaction beside others."""
        try:
            with Session(self._engine) as session, session.begin():
                yield session
        except DATABASE_AWAY as exc:
            raise Unavailable("The database of incidents does not answer; try again in a moment.") from exc

    @contextmanager
    def one_at_a_time(self) -> Iterator[Session]:
        """A transaction that sees all that others of its kind did, because it waits for them."""
        with self.open() as session:
            session.execute(self._lock)
            yield session
