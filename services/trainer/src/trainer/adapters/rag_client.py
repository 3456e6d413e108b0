"""What rag knows, asked at its internal doors."""

from collections.abc import Sequence

import httpx
import structlog
from opskit.contracts.answers import AnswerRecord
from opskit.contracts.releases import ReleaseBundle
from opskit.errors import Unavailable
from opskit.identity import Caller
from pydantic import ValidationError

from trainer.improvement.examples import Shown
from trainer.observing.ports import Page

log = structlog.get_logger(__name__)

_PASSAGES = 8


class RagClient:
    """Satisfies `Answers` and `KeptAnswers`."""

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

    def after(self, cursor: str | None, *, limit: int) -> Page:
        """Answers of all tenants as they were kept. One that cannot be read is left out, and does not stop the rest."""
        params = {"limit": str(limit)} | ({"after": cursor} if cursor else {})
        page = self._ask("GET", "/internal/answers", "default", params=params).json()
        answers = [answer for one in page["answers"] if (answer := _read(one)) is not None]
        unreadable = len(page["answers"]) - len(answers)
        return Page(answers, unreadable, page["next_cursor"], more=len(page["answers"]) >= limit)

    def _ask(
        self,
        method: str,
        path: str,
        tenant: str,
        json: dict[str, object] | None = None,
        params: dict[str, str] | None = None,
    ) -> httpx.Response:
        headers = Caller(tenant, "trainer").headers(self._token)
        try:
            return self._client.request(method, path, headers=headers, json=json, params=params).raise_for_status()
        except httpx.HTTPError as exc:
            raise Unavailable(f"rag does not answer {path}: {exc!r}"[:300]) from exc


def _read(record: object) -> AnswerRecord | None:
    try:
        return AnswerRecord.model_validate(record)
    except ValidationError as exc:
        log.error("answer_not_understood", errors=exc.errors(include_url=False, include_input=False)[:3])
        return None
