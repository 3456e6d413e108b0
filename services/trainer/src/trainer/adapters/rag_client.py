"""What rag knows, asked at its internal doors."""

from collections.abc import Sequence

import httpx
from opskit.contracts.releases import ReleaseBundle
from opskit.errors import Unavailable
from opskit.identity import Caller

from trainer.improvement.examples import Shown

_PASSAGES = 8


class RagClient:
    """Satisfies `Answers`."""

    def __init__(self, client: httpx.Client, *, token: str) -> None:
        self._client, self._token = client, token

    def start_release(self) -> ReleaseBundle:
        """The release that answers when there is no champion."""
        return ReleaseBundle.model_validate_json(self._ask("GET", "/internal/release", "default").content)

    def found(self, tenant: str, knowledge_base: str, query: str) -> Sequence[Shown]:
        """What a search returns."""
        body = {"query": query[:2000], "top_k": _PASSAGES, "knowledge_base": knowledge_base}
        hits = self._ask("POST", "/v1/search", tenant, json=body).json()["hits"]
        return [Shown(hit["document"], hit["title"], hit["heading"], hit["text"]) for hit in hits]

    def _ask(self, method: str, path: str, tenant: str, json: dict[str, object] | None = None) -> httpx.Response:
        headers = Caller(tenant, "trainer").headers(self._token)
        try:
            return self._client.request(method, path, headers=headers, json=json).raise_for_status()
        except httpx.HTTPError as exc:
            raise Unavailable(f"rag does not answer {path}: {exc!r}"[:300]) from exc
