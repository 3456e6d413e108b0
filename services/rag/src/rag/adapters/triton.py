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
from rag.remote_model import RemoteModel

log = structlog.get_logger(__name__)

FAILURES: Final = (InferenceServerException, grpc.RpcError)
_CONFIG_SECONDS: Final = 2.0
_LONGEST_MESSAGE: Final = 64 * 1024 * 1024


def open_triton(address: str) -> Any:
    """A client. Unlike the default one it notices within a second that a server is back; of several servers behind an
    address it takes one after the other."""
    return triton.InferenceServerClient(
        address,
        channel_args=[
            ("grpc.max_send_message_length", _LONGEST_MESSAGE),
            ("grpc.max_receive_message_length", _LONGEST_MESSAGE),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.lb_policy_name", "round_robin"),
        ],
    )


class TritonModels:
    """The digests of the models being served. They are asked for in the background, because Triton may be restarted
    with other ones; a question only waits for them when nothing is known yet."""

    def __init__(self, client: Any, *, refresh_seconds: float, remote: RemoteModel | None = None) -> None:
        """With a `remote` model Triton serves the embedder alone."""
        self._client = client
        self._remote = remote
        self._refresh_seconds = refresh_seconds
        self._known: Served | None = None

    async def current(self) -> Served:
        """As last seen."""
        return self._known or await self.refresh()

    async def refresh(self) -> Served:
        """Ask now. Raises Unavailable."""
        embedder, (digest, engine) = await asyncio.gather(
            self._parameters(EMBEDDER_MODEL, "fingerprint"), self._reader()
        )
        served = Served(reader_digest=digest, embedder_fingerprint=embedder[0], engine=engine)
        if served != self._known:
            log.info("models_served", engine=engine, reader=digest[:12], embedder=embedder[0][:12])
        self._known = served
        return served

    async def check(self) -> None:
        """Return when the models can be used now."""
        await self.refresh()
        wanted = (EMBEDDER_MODEL,) if self._remote else (EMBEDDER_MODEL, READER_MODEL)
        ready = await asyncio.gather(
            *(self._client.is_model_ready(model, client_timeout=_CONFIG_SECONDS) for model in wanted)
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

    async def _reader(self) -> tuple[str, str]:
        """Its digest and its engine."""
        if self._remote is not None:
            return self._remote.digest, "openai"
        digest, engine = await self._parameters(READER_MODEL, "reader_digest", "engine")
        return digest, engine

    async def _parameters(self, model: str, *names: str) -> list[str]:
        started = time.monotonic()
        try:
            config = await self._client.get_model_config(model, as_json=True, client_timeout=_CONFIG_SECONDS)
        except FAILURES as exc:
            took = time.monotonic() - started
            why = await self._why_not(model) or f"{took:.1f} s"
            raise Unavailable(f"Triton does not serve the model {model} ({why}).") from exc
        parameters = config.get("config", {}).get("parameters", {})
        values = [str(parameters.get(name, {}).get("string_value", "")) for name in names]
        if not all(values):
            raise Unavailable(f"The model {model} in Triton does not say its {' and '.join(names)}.")
        return values

    async def _why_not(self, model: str) -> str:
        """What Triton says of a model that could not be loaded; empty when it says nothing."""
        try:
            index = await self._client.get_model_repository_index(as_json=True, client_timeout=_CONFIG_SECONDS)
        except FAILURES:
            return ""
        reasons = [str(one.get("reason", "")) for one in index.get("models", []) if one.get("name") == model]
        return next(iter(reasons), "").partition("\n")[0].rpartition("Error: ")[2].removeprefix("Internal: ")
