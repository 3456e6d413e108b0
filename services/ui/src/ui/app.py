"""The composition root: Streamlit's pages beside the doors for probes and for Prometheus."""

import logging
from importlib.resources import files

import httpx
import streamlit as st
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ui.metrics import PAGE_ERRORS
from ui.settings import Settings

log = logging.getLogger("ui")

READY_SECONDS = 2.0


def create_app(settings: Settings) -> st.App:
    """The ASGI application."""

    async def ready(_: Request) -> Response:
        verdict = await _gateway_verdict(str(settings.url))
        well = verdict == "ok"
        body = {"status": "ready" if well else "unavailable", "checks": {"gateway": verdict}}
        return JSONResponse(body, 200 if well else 503, headers={} if well else {"retry-after": "2"})

    return st.App(
        str(files("ui") / "main.py"),
        routes=[
            Route("/livez", _live),
            Route("/readyz", ready),
            Route("/healthz", ready),
            Route("/metrics", _metrics),
        ],
        on_script_error=_page_failed,
    )


async def _live(_: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


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
