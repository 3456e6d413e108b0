"""The limiter against a real Redis, which comes and goes."""

import asyncio
import shutil
import socket
import subprocess
import time

import pytest
from gateway.adapters.limiters import LocalLimiter, RedisLimiter
from gateway.errors import LimiterDown
from gateway.limits import SteadyLimiter

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed"),
]


class RealRedis:
    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._folder = folder
        self._process = None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("redis-server did not start")

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def redis(tmp_path):
    server = RealRedis(str(tmp_path))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def limiter(redis):
    limiter = RedisLimiter(redis.url, 5)
    yield limiter
    await limiter.close()


async def test_a_key_gets_its_limit_and_then_a_time_to_wait(limiter):
    verdicts = [await limiter.hit("key_1") for _ in range(7)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 5 + [False] * 2
    assert 1 <= verdicts[-1].retry_after <= 120
    assert (await limiter.hit("key_2")).allowed


async def test_processes_count_together(redis, limiter):
    other = RedisLimiter(redis.url, 5)
    verdicts = [await asked.hit("key_1") for asked in (limiter, other) * 4]
    await other.close()
    assert sum(verdict.allowed for verdict in verdicts) == 5


async def test_hits_at_the_same_moment_are_all_counted(limiter):
    verdicts = await asyncio.gather(*(limiter.hit("key_1") for _ in range(50)))
    assert sum(verdict.allowed for verdict in verdicts) == 5


async def test_without_redis_it_says_so_quickly(redis, limiter):
    await limiter.ping()
    redis.stop()
    started = time.monotonic()
    with pytest.raises(LimiterDown):
        await limiter.hit("key_1")
    assert time.monotonic() - started < 1


async def test_redis_may_go_and_come_back_while_the_limit_holds(redis, limiter):
    steady = SteadyLimiter(limiter, LocalLimiter(5), pause=0.1)
    assert (await steady.hit("key_1")).allowed
    redis.stop()
    assert [(await steady.hit("key_1")).allowed for _ in range(6)] == [True] * 5 + [False]
    assert steady.trouble
    redis.start()
    await asyncio.sleep(0.2)
    assert (await steady.hit("key_1")).allowed
    assert steady.trouble is None
