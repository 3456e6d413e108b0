"""For all tests: none reaches another machine by accident, those of language models share a tiny one, and those of SQL
may have a PostgreSQL."""

import fcntl
import hashlib
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from xdist.scheduler import LoadScopeScheduling

_CHECKOUT = Path(__file__).resolve().parent
_TRAINER = _CHECKOUT / "services" / "trainer" / "src" / "trainer"
_MESSAGES = _CHECKOUT / "libs" / "grounding" / "src" / "grounding" / "messages.py"
_LONGEST = _CHECKOUT / "tests" / "e2e"
_real_connect = socket.socket.connect


class FolderByFolder(LoadScopeScheduling):
    """Tests of one folder share servers, so one worker runs them all."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderByFolder:
    return FolderByFolder(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folder that takes longest begins first."""
    items.sort(key=lambda item: item.path.parent != _LONGEST)


def _is_local(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """Refuse any connection that would leave this machine."""

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address):
            raise PermissionError(f"A test tried to connect to {address!r}; tests stay on loopback.")
        _real_connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """The tiny language model as a GGUF file. Training it takes a minute, and is done again when its recipe changes."""
    recipe = hashlib.sha256()
    for file in (*sorted((_TRAINER / "tiny").glob("*.py")), _TRAINER / "gguf_file.py", _MESSAGES):
        recipe.update(file.read_bytes())
    cache = Path(os.environ.get("NEXUS_CACHE_DIR") or _CHECKOUT / ".nexus" / "cache") / "tiny"
    model = cache / f"{recipe.hexdigest()[:16]}.gguf"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not model.exists():
            made = subprocess.run(
                [sys.executable, "-m", "trainer", "tiny", "--out", model], capture_output=True, text=True, check=False
            )
            assert made.returncode == 0, made.stderr
    return model


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The folder of the socket of a PostgreSQL of our own. It sorts and tells the time unlike Python, so that nobody
    comes to rely on it, and never waits for the disk. It refuses to be run by root."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    as_somebody: dict[str, Any] = {"user": "nobody", "extra_groups": []} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="nexus-postgresql-"))  # a socket's path must be short
    if as_somebody:
        shutil.chown(folder, as_somebody["user"])
    data = folder / "data"
    make = [programs / "initdb", "--username=nexus", "--auth=trust", "--encoding=UTF8", "--no-sync", f"--pgdata={data}"]
    make += ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"]
    subprocess.run(make, check=True, capture_output=True, cwd=folder, **as_somebody)
    settings = "listen_addresses=", "fsync=off", "full_page_writes=off", "timezone=Asia/Kolkata", "max_connections=200"
    run = [programs / "postgres", "-D", data, "-k", folder, *(word for one in settings for word in ("-c", one))]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(run, stdout=log, stderr=log, cwd=folder, **as_somebody)
    try:
        _wait_for(server, folder)
        yield str(folder)
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()
        shutil.rmtree(folder)


def _wait_for(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    while True:
        try:
            return psycopg.connect(host=str(folder), user="nexus", dbname="postgres").close()
        except psycopg.OperationalError:
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)


@pytest.fixture
def make_postgresql(postgresql: str) -> Iterator[Callable[[], str]]:
    """Makes an empty database, and says its URL."""
    made: list[str] = []

    def make() -> str:
        made.append(f"test_{uuid.uuid4().hex}")
        server.execute(f"CREATE DATABASE {made[-1]}")
        return f"postgresql+psycopg://nexus@/{made[-1]}?host={postgresql}"

    with psycopg.connect(host=postgresql, user="nexus", dbname="postgres", autocommit=True) as server:
        yield make
        for name in made:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.contract)])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: what uses it is tested on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.db"
    url: str = request.getfixturevalue("make_postgresql")()
    return url
