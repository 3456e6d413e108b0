"""What rag knows, asked at its internal doors."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
import structlog
from nexus_serving.engines.contract import ReaderFailed
from opskit.contracts.answers import AnswerRecord
from opskit.contracts.releases import ReleaseBundle
from opskit.contracts.trials import SettingsCheck, Trial, TrialAnswer
from opskit.errors import InvalidRequest, Unavailable
from opskit.identity import Caller
from pydantic import ValidationError

from trainer.improvement.examples import Shown
from trainer.observing.ports import Page

log = structlog.get_logger(__name__)

_PASSAGES = 8
_TRIES: Final = 4
_TRIAL_SECONDS: Final = 90.0
"""A language model may take its time, and users come first."""
_READER_FAILED: Final = "reader_failed"


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

    def checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of a release as rag understands them."""
        body = SettingsCheck(settings=dict(settings)).model_dump(mode="json")
        response = self._sent("POST", "/internal/settings/check", "default", json=body)
        if response.status_code == httpx.codes.BAD_REQUEST:
            error = response.json()["error"]
            raise InvalidRequest(error["message"], param=f"settings.{error['param']}" if error["param"] else "settings")
        return SettingsCheck.model_validate(_good(response).json()).settings

    def tried(self, tenant: str, trial: Trial) -> TrialAnswer:
        """What a release says to a question. While others keep rag busy it is asked again."""
        body = trial.model_dump(mode="json")
        for number in range(1, _TRIES + 1):
            response = self._sent("POST", "/internal/trials", tenant, json=body, seconds=_TRIAL_SECONDS)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or number == _TRIES:
                break
            time.sleep(float(response.headers.get("retry-after", 1)))
        if _is_readers_fault(response):
            raise ReaderFailed(str(response.json()["error"]["message"]))
        return TrialAnswer.model_validate(_good(response).json())

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
        return _good(self._sent(method, path, tenant, json, params))

    def _sent(
        self,
        method: str,
        path: str,
        tenant: str,
        json: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
        seconds: float | None = None,
    ) -> httpx.Response:
        headers = Caller(tenant, "trainer").headers(self._token)
        timeout = self._client.timeout if seconds is None else httpx.Timeout(seconds, connect=2.0)
        try:
            return self._client.request(method, path, headers=headers, json=json, params=params, timeout=timeout)
        except httpx.HTTPError as exc:
            raise Unavailable(f"rag does not answer {path}: {exc!r}"[:300]) from exc


def _good(response: httpx.Response) -> httpx.Response:
    try:
        return response.raise_for_status()
    except httpx.HTTPStatusError as exc:
        raise Unavailable(f"rag does not answer {response.request.url.path}: {exc!r}"[:300]) from exc


def _is_readers_fault(response: httpx.Response) -> bool:
    """Whether rag could answer and the release could not."""
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return _code(response) == _READER_FAILED
    return response.status_code == httpx.codes.BAD_REQUEST


def _code(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):  # not rag's: somebody's between us
        return ""


def _read(record: object) -> AnswerRecord | None:
    try:
        return AnswerRecord.model_validate(record)
    except ValidationError as exc:
        log.error("answer_not_understood", errors=exc.errors(include_url=False, include_input=False)[:3])
        return None
