"""Reading a short answer of a service whole, for the few routes that must look into it."""

from gateway.errors import ServiceDown
from gateway.ports import Call, Upstream

MAX_REPLY_BYTES = 4 * 1024 * 1024


async def fetch(upstream: Upstream, call: Call) -> tuple[int, bytes]:
    """Status and whole body. Raises ServiceDown."""
    body = bytearray()
    async with upstream.open(call) as reply:
        async for chunk in reply.chunks:
            body += chunk
            if len(body) > MAX_REPLY_BYTES:
                raise ServiceDown(upstream.name, "its answer is too long")
        return reply.status, bytes(body)
