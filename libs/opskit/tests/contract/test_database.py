"""Opening a database: SQLite's, and a real PostgreSQL's."""

import subprocess
import sys
import textwrap
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from opskit.database import DATABASE_AWAY, SchemaTooNew, UtcTime, open_database, storable
from opskit.errors import Unavailable

pytestmark = pytest.mark.contract

ENVIRONMENT = """
from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
"""
VERSION = """
import time
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0001", None, None, None

def upgrade():
    op.create_table("things", sa.Column("at", sa.DateTime(timezone=True)))
    time.sleep(0.5)
"""


@pytest.fixture
def schema(tmp_path, monkeypatch):
    """A package of migrations that take their time."""
    package = tmp_path / "slow_schema"
    (package / "versions").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "env.py").write_text(ENVIRONMENT)
    (package / "versions" / "0001_things.py").write_text(VERSION)
    monkeypatch.syspath_prepend(tmp_path)
    return "slow_schema"


@pytest.fixture
def engine(any_database, schema):
    opened = open_database(any_database, migrations=schema)
    yield opened
    opened.dispose()


def test_processes_that_start_together_migrate_once(any_database, schema, tmp_path):
    code = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from opskit.database import open_database
        open_database({any_database!r}, migrations={schema!r})
    """)
    started = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in started] == [("", 0)] * 3


def test_a_schema_of_a_newer_version_is_refused_with_what_to_do(engine, any_database, schema):
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0009'")
    with pytest.raises(SchemaTooNew, match=r"was written by a newer version .*0009.*: start that version, or restore"):
        open_database(any_database, migrations=schema)


def test_a_server_that_is_not_there_is_named_in_one_line_without_the_password(schema):
    with pytest.raises(Unavailable) as refused:
        open_database("postgresql+psycopg://nexus:secret@127.0.0.1:1/rag?password=secret", migrations=schema)
    message = refused.value.message
    assert message.startswith("The database postgresql+psycopg://nexus:***@127.0.0.1:1/rag cannot be used: connection")
    assert "secret" not in message
    assert "\n" not in message


def test_a_database_that_cannot_be_made_is_named(schema, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"The database sqlite:///.*/file/rag.db cannot be used"):
        open_database(f"sqlite:///{tmp_path}/file/rag.db", migrations=schema)


def test_a_time_comes_back_in_utc_whatever_the_zone_of_the_server(engine):
    things = sa.Table("things", sa.MetaData(), sa.Column("at", UtcTime))
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with engine.begin() as connection:
        connection.execute(things.insert().values(at=noon))
        assert connection.scalar(sa.select(things.c.at)).isoformat() == noon.isoformat()


def test_text_that_nobody_checked_can_be_kept(engine):
    with engine.begin() as connection:
        assert connection.scalar(sa.select(sa.literal(storable("a\0b \ud800")))) == "ab ?"


class TestPostgresql:
    @pytest.fixture
    def engine(self, make_postgresql, schema):
        opened = open_database(make_postgresql(), migrations=schema)
        yield opened
        opened.dispose()

    def test_a_connection_that_breaks_is_an_error_once_and_a_new_one_the_next_time(self, engine):
        stop_others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        with engine.connect() as broken:
            broken.exec_driver_sql("SELECT 1")
            with engine.connect() as other:
                other.exec_driver_sql(f"{stop_others} AND pid != pg_backend_pid()")
            with pytest.raises(DATABASE_AWAY):
                broken.exec_driver_sql("SELECT 1")
        with engine.connect() as other:
            assert other.exec_driver_sql("SELECT 1").scalar() == 1

    def test_a_lock_that_nobody_gives_back_is_not_waited_for_without_end(self, engine):
        with engine.begin() as holder, engine.begin() as waiting:
            holder.exec_driver_sql("LOCK TABLE things")
            assert waiting.exec_driver_sql("SHOW lock_timeout").scalar() == "10s"
            waiting.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(DATABASE_AWAY):
                waiting.exec_driver_sql("LOCK TABLE things")

    def test_what_the_url_says_wins(self, make_postgresql, schema):
        opened = open_database(f"{make_postgresql()}&options=-clock_timeout%3D3s", migrations=schema)
        with opened.connect() as connection:
            assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "3s"
        opened.dispose()
