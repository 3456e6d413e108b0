"""Triton over gRPC: one client for all adapters, and what it says about its models."""

import asyncio
import time
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
import structlog
import tritonclient.grpc.aio as triton
from opskit.contracts.reader import EMBEDDER_MODEL, READER_MODEL
from opskit.errors import Unavailable
from tritonclient.utils import InferenceServerException

from rag.ports import Served

log = structlog.get_logger(__name__)

FAILURES: Final = (InferenceServerException, grpc.RpcError)
_CONFIG_SECONDS: Final = 2.0
_LONGEST_MESSAGE: Final = 64 * 1024 * 1024


def open_triton(address: str) -> Any:
    """A client. Unlike the default one it notices within a second that a server is back."""
    return triton.InferenceServerClient(
        address,
        channel_args=[
            ("grpc.max_send_message_length", _LONGEST_MESSAGE),
            ("grpc.max_receive_message_length", _LONGEST_MESSAGE),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
        ],
    )


class TritonModels:
    """The digests of the models being served. They are asked for in the background, because Triton may be restarted
    with other ones; a question only waits for them when nothing is known yet."""

    def __init__(self, client: Any, *, refresh_seconds: float) -> None:
        self._client = client
        self._refresh_seconds = refresh_seconds
        self._known: Served | None = None

    async def current(self) -> Served:
        """As last seen."""
        return self._known or await self.refresh()

    async def refresh(self) -> Served:
        """Ask now. Raises Unavailable."""
        embedder, reader = await asyncio.gather(
            self._parameter(EMBEDDER_MODEL, "fingerprint"), self._parameter(READER_MODEL, "reader_digest")
        )
        served = Served(reader_digest=reader, embedder_fingerprint=embedder)
        if served != self._known:
            log.info("models_served", reader=reader[:12], embedder=embedder[:12])
        self._known = served
        return served

    async def check(self) -> None:
        """Return when both models can be used now."""
        await self.refresh()
        ready = await asyncio.gather(
            *(
                self._client.is_model_ready(model, client_timeout=_CONFIG_SECONDS)
                for model in (EMBEDDER_MODEL, READER_MODEL)
            )
        )
        if not all(ready):
            raise Unavailable("A model in Triton is not ready.")

    async def keep_current(self) -> None:
        """Ask again and again, until cancelled. What is known stays known while Triton is away."""
        while True:
            try:
                await self.refresh()
            except Unavailable as exc:
                log.warning("models_not_known", reason=exc.message)
            await asyncio.sleep(self._refresh_seconds)

    async def _parameter(self, model: str, name: str) -> str:
        started = time.monotonic()
        try:
            config = await self._client.get_model_config(model, as_json=True, client_timeout=_CONFIG_SECONDS)
        except FAILURES as exc:
            took = time.monotonic() - started
            raise Unavailable(f"Triton does not serve the model {model} ({took:.1f} s).") from exc
        value = config.get("config", {}).get("parameters", {}).get(name, {}).get("string_value", "")
        if not value:
            raise Unavailable(f"The model {model} in Triton does not say its {name}.")
        return str(value)
