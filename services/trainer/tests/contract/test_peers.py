"""The checks of peers against the real ones."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opskit.errors import Unavailable
from redis.exceptions import ConnectionError
from trainer.adapters.peers import Broker, Mlflow

pytestmark = pytest.mark.contract


@pytest.fixture
def mlflow_url(tmp_path: Path, port: int) -> Iterator[str]:
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers=1"]
    command += ["--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db", "--artifacts-destination", str(tmp_path)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + 120
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)):
            assert process.poll() is None, (tmp_path / "log").read_text()[-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


async def test_a_real_mlflow_is_found_well(mlflow_url):
    async with httpx.AsyncClient(base_url=mlflow_url) as client:
        await Mlflow(client).check()


async def test_an_unwell_mlflow_is_said_to_be(mlflow_url):
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(500)), base_url="http://m"
    ) as c:
        with pytest.raises(Unavailable, match="500"):
            await Mlflow(c).check()


async def test_a_broker_is_found_and_missed(redis):
    broker = Broker(redis.url)
    for _ in range(100):
        with contextlib.suppress(ConnectionError):
            await broker.check()
            break
        await asyncio.sleep(0.05)
    await broker.check()
    redis.stop()
    with pytest.raises(ConnectionError):
        await broker.check()
    await broker.close()
