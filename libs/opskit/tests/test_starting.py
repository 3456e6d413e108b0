"""What a process says that cannot go on."""

from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from opskit.errors import Unavailable
from opskit.starting import StartMiddleware, ends_in_one_line, stops_when_unable


async def start(error: Exception) -> str:
    """The message that a server gets from an application whose start fails."""

    @asynccontextmanager
    async def lifespan(_):
        raise error
        yield

    async def receive():
        return {"type": "lifespan.startup"}

    async def send(message):
        sent.append(message)

    sent = []
    app = FastAPI(lifespan=lifespan)
    app.add_middleware(StartMiddleware)
    with pytest.raises(type(error)):
        await app({"type": "lifespan", "app": app, "state": {}}, receive, send)
    (message,) = sent
    assert message["type"] == "lifespan.startup.failed"
    return message["message"]


async def test_a_start_that_fails_for_a_reason_we_know_is_one_line():
    assert await start(Unavailable("The database is away.")) == "Cannot start: The database is away."


async def test_a_start_that_fails_for_another_reason_is_a_trace():
    assert "Traceback" in await start(ZeroDivisionError("nobody foresaw it"))


def test_a_command_line_ends_with_the_message():
    with pytest.raises(SystemExit) as ended, ends_in_one_line():
        raise Unavailable("The database is away.")
    assert ended.value.code == "The database is away."


def test_a_worker_that_cannot_start_stops():
    with pytest.raises(SystemExit) as ended, stops_when_unable():
        raise Unavailable("The database is away.")
    assert ended.value.code == 1
