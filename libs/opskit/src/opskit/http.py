"""HTTP clients between services: named, pooled, with every timeout stated."""

import httpx

from opskit.request_context import REQUEST_ID_HEADER


def create_http_client(
    base_url: str,
    *,
    name: str,
    connect_seconds: float = 2.0,
    read_seconds: float = 30.0,
    max_connections: int = 200,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """A client of one peer. `read_seconds` bounds the silence between two bytes, not the length of a stream.
    A test passes a `transport` with its own application behind it."""
    return httpx.AsyncClient(
        base_url=base_url,
        transport=transport,
        timeout=httpx.Timeout(read_seconds, connect=connect_seconds, pool=connect_seconds),
        # Idle connections go a second before uvicorn closes them at 5 s, so that no request meets one that is closing.
        limits=httpx.Limits(
            max_connections=max_connections, max_keepalive_connections=max_connections, keepalive_expiry=4.0
        ),
        headers={"user-agent": f"nexus-{name}"},
    )


def passed_on(request_id: str) -> dict[str, str]:
    """The header that lets one request be followed through every service."""
    return {REQUEST_ID_HEADER: request_id}
