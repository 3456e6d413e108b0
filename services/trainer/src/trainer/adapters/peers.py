"""What trainer asks of its peers to know whether they are there. Light: the clients that do real work come with it."""

import httpx
from opskit.errors import Unavailable
from redis.asyncio import Redis


class Mlflow:
    """The tracking server, by its health door: importing mlflow takes seconds."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def check(self) -> None:
        """Return when the server is healthy."""
        response = await self._client.get("/health")
        if response.status_code != 200:
            raise Unavailable(f"MLflow answers {response.status_code}.")


class Broker:
    """The Redis that tasks travel through. Close it when done."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)

    async def check(self) -> None:
        """Return when Redis answers."""
        await self._redis.ping()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()
