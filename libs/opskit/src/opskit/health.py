"""`/livez` answers without any I/O; `/readyz` asks the dependencies and names the one that is down."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import structlog
from fastapi import APIRouter, Response
from pydantic import BaseModel

log = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[None]]
CHECK_TIMEOUT_SECONDS = 2.0


class Liveness(BaseModel):
    """The process runs."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """What each dependency said: "ok", or the reason it cannot be used. "degraded" serves, with something missing."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: dict[str, str]


async def _verdict(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await check()
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_SECONDS:g} s"
    except Exception as exc:  # noqa: BLE001 - a health check is a boundary: whatever broke is the reason we report
        log.warning("not_ready", dependency=name, reason=repr(exc))
        return f"{type(exc).__name__}: {exc}"[:300]
    return "ok"


def health_router(checks: Mapping[str, Check], *, optional: Mapping[str, Check] | None = None) -> APIRouter:
    """Routes /livez, /readyz and its alias /healthz for a service that needs `checks` to pass. A check raises when
    its dependency cannot be used; its message is shown, so it must not carry a secret. What the service can do without
    is `optional`: named when it is down, but still 200."""
    optional = optional if optional is not None else {}
    router = APIRouter(tags=["health"])

    @router.get("/livez", operation_id="get_livez", summary="Is the process alive?")
    async def livez() -> Liveness:
        return Liveness()

    @router.get(
        "/readyz",
        operation_id="get_readyz",
        summary="Can it serve? Names what is down.",
        responses={503: {"model": Readiness}},
    )
    @router.get("/healthz", include_in_schema=False)
    async def readyz(response: Response) -> Readiness:
        asked = {**optional, **checks}
        verdicts = await asyncio.gather(*(_verdict(name, check) for name, check in asked.items()))
        found = dict(zip(asked, verdicts, strict=True))
        down = {name for name, verdict in found.items() if verdict != "ok"}
        if down.isdisjoint(checks):
            return Readiness(status="degraded" if down else "ready", checks=found)
        response.status_code = 503
        response.headers["retry-after"] = "2"
        return Readiness(status="unavailable", checks=found)

    return router
