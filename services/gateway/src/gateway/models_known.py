"""Which models there are. rag knows; the gateway remembers for a moment, so that a question costs no extra call."""

import time
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from gateway.errors import ModelNotFound, ServiceDown
from gateway.fetch import fetch
from gateway.ports import Call, Upstream
from gateway.schemas.answers import ModelList, ModelShown

DEFAULT_MODEL = "nexus"
REMEMBERED_SECONDS = 10.0


class KnownModels:
    """The models rag lists. `nexus` is always there and never asked for."""

    def __init__(self, rag: Upstream, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rag = rag
        self._clock = clock
        self._models: dict[str, ModelShown] = {}
        self._good_until = 0.0

    async def ensure(self, model: str, headers: Mapping[str, str]) -> None:
        """Raise ModelNotFound unless `model` can be asked."""
        if model != DEFAULT_MODEL:
            await self.get(model, headers)

    async def get(self, model: str, headers: Mapping[str, str]) -> ModelShown:
        """The model's entry, or ModelNotFound."""
        if self._clock() >= self._good_until or model not in self._models:
            await self._refresh(headers)
        if model not in self._models:
            raise ModelNotFound(
                f"There is no model {model[:100]!r}; GET /v1/models lists those there are.", param="model"
            )
        return self._models[model]

    async def _refresh(self, headers: Mapping[str, str]) -> None:
        status, body = await fetch(self._rag, Call("GET", "/v1/models", headers))
        if status != 200:
            raise ServiceDown(self._rag.name, f"status {status}")
        try:
            listed = ModelList.model_validate_json(body)
        except ValidationError as exc:
            raise ServiceDown(self._rag.name, "its list of models is not understood") from exc
        self._models = {model.id: model for model in listed.data}
        self._good_until = self._clock() + REMEMBERED_SECONDS
