"""The composition root: Streamlit's pages beside the doors for probes and for Prometheus."""

import logging
from importlib.resources import files

import httpx
import streamlit as st
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.routing import Route

from ui.metrics import PAGE_ERRORS
from ui.settings import Settings

log = logging.getLogger("ui")

READY_SECONDS = 2.0
DOORS = (
    *("/livez", "/readyz", "/healthz", "/metrics"),
    *("/docs", "/redoc", "/openapi.json", "/static-offline-docs/{file}"),
)


def create_app(settings: Settings) -> st.App:
    """The ASGI application."""
    doors = _doors(str(settings.url))
    return st.App(
        str(files("ui") / "main.py"),
        routes=[Route(path, doors) for path in DOORS],
        on_script_error=_page_failed,
    )


def _doors(gateway: str) -> FastAPI:
    """What is not a page: the doors that every service has."""
    doors = FastAPIOffline(title="Nexus ui", version="0.1.0", description="The chatbot. Its pages are at `/`.")

    @doors.get("/livez", tags=["health"], summary="Is the process alive?")
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @doors.get("/healthz", include_in_schema=False)
    @doors.get("/readyz", tags=["health"], summary="Is the gateway there?")
    async def ready() -> JSONResponse:
        verdict = await _gateway_verdict(gateway)
        well = verdict == "ok"
        body = {"status": "ready" if well else "unavailable", "checks": {"gateway": verdict}}
        return JSONResponse(body, 200 if well else 503, headers={} if well else {"retry-after": "2"})

    @doors.get("/metrics", tags=["health"], summary="Figures for Prometheus.")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return doors


async def _gateway_verdict(url: str) -> str:
    """ "ok" when the gateway is alive. Its own readiness is shown on the Status page, not hidden behind ours."""
    try:
        async with httpx.AsyncClient(base_url=url, timeout=READY_SECONDS) as client:
            (await client.get("/livez")).raise_for_status()
    except httpx.HTTPStatusError as exc:
        return f"status {exc.response.status_code}"
    except httpx.HTTPError as exc:
        return f"{type(exc).__name__}: {exc}"[:200]
    return "ok"


def _page_failed(error: Exception) -> bool:
    PAGE_ERRORS.inc()
    log.error("page_failed", exc_info=error)
    st.warning("This page hit an error on our side. Reload it; if it stays, the log of `ui` has the details.")
    return True
