"""The checks of peers against the real ones."""

import asyncio
import contextlib

import httpx
import pytest
from opskit.errors import Unavailable
from redis.exceptions import ConnectionError
from trainer.adapters.peers import Broker, Mlflow

pytestmark = pytest.mark.contract


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
