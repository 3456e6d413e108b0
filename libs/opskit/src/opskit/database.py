"""SQL engines and migrations: SQLite beside the embedded stack, PostgreSQL elsewhere, one code.

engine = open_database("postgresql+psycopg://nexus:…@postgres:5432/rag", migrations="rag.migrations")
"""

from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util.exc import CommandError
from sqlalchemy import DateTime, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError
from sqlalchemy.types import TypeDecorator

from opskit.errors import NexusError, Unavailable

DATABASE_AWAY: Final = (OperationalError, InterfaceError, TimeoutError)
"""Raised when a database cannot be used now: it does not answer, it breaks off, or all connections are taken."""

_MIGRATING: Final = 0x6E657875
"""The PostgreSQL lock of whoever migrates: its bytes read "nexu". Locks belong to one database, thus to one service."""


class UtcTime(TypeDecorator[datetime]):
    """A column for a point in time, kept in UTC. SQLite keeps no time zone, so it is put back on the way out;
    PostgreSQL tells it in the zone of its session."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware times only: a naive one is a bug."""
        assert value is None or value.tzinfo is not None
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SchemaTooNew(NexusError):
    """The database was written by a newer version; this one would not know what it reads."""


def storable(text: str) -> str:
    """For text that nobody checked, such as an exception's: PostgreSQL keeps no NUL, and no database keeps half a
    character."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def open_database(url: str, *, migrations: str) -> Engine:
    """An engine for `url` with its schema brought up to date from the package `migrations` (e.g. "rag.migrations").

    Raises Unavailable when the database cannot be used: whoever starts this process may do so again. SchemaTooNew when
    that would not help.
    """
    parsed = make_url(url)
    engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    try:
        _upgrade(engine, migrations)
    except DBAPIError as exc:
        engine.dispose()
        raise _unusable(parsed, exc.orig) from exc
    except CommandError as exc:
        engine.dispose()
        if not isinstance(exc.__cause__, ResolutionError):
            raise
        raise SchemaTooNew(
            f"The database {_shown(parsed)} was written by a newer version (its schema is {exc.__cause__.argument}): "
            "start that version, or restore a backup from before it"
        ) from exc
    return engine


def _sqlite(url: URL) -> Engine:
    """In WAL mode with full fsync, so that an acknowledged write outlives a crash and several processes may share the
    file."""
    if url.database:
        _make_folder(url)
    engine = create_engine(url)
    event.listen(engine, "connect", _set_sqlite_pragmas)
    return engine


def _set_sqlite_pragmas(connection: Any, _: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _postgresql(url: URL) -> Engine:
    """With limits on every wait, so that a server that vanished or a lock that stays is an error and not a hang. What
    the URL itself says about them wins."""
    limits = {"connect_timeout": "5", "keepalives_idle": "30", "tcp_user_timeout": "30000"}
    limits["options"] = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=10min"
    return create_engine(
        url.set(query={**limits, **url.query}),
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=5,
        pool_timeout=10,
        pool_recycle=1800,
    )


def _upgrade(engine: Engine, migrations: str) -> None:
    with as_file(files(migrations)) as location, engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(location))
        # Two processes of one service may start together: the first takes the lock, the second finds all done.
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '5min'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def _make_folder(url: URL) -> None:
    try:
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise _unusable(url, exc) from exc


def _unusable(url: URL, reason: BaseException | None) -> Unavailable:
    return Unavailable(f"The database {_shown(url)} cannot be used: {' '.join(str(reason).split())}")


def _shown(url: URL) -> str:
    """Without the password, and without parameters, which may hold one."""
    return url.set(query={}).render_as_string(hide_password=True)
