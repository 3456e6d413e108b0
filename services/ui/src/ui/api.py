"""The typed client of the gateway: the only place of this service that does I/O."""

import queue
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from anyio.from_thread import start_blocking_portal
from httpx_sse import SSEError, aconnect_sse
from pydantic import BaseModel, ValidationError

from ui.errors import Broken, GatewayError, Interrupted, Unreachable, of_status
from ui.metrics import CALLS
from ui.models import (
    AnswerEvent,
    Content,
    DeadLetter,
    Document,
    DocumentPage,
    Hit,
    KnowledgeBase,
    Rating,
    StackState,
    Waiting,
)
from ui.stream import AnswerReader

MODEL = "nexus"
PAGE_SIZE = 500
HEARTBEAT_SECONDS = 0.1
TIMEOUT = httpx.Timeout(20.0, connect=3.0)
UPLOAD_TIMEOUT = httpx.Timeout(120.0, connect=3.0)
ANSWER_TIMEOUT = httpx.Timeout(120.0, connect=3.0)
"""Bounds the silence between two bytes, not the length of an answer; a large model may think for long."""

Parsed = TypeVar("Parsed", bound=BaseModel)


class GatewayClient:
    """Speaks to one gateway with one key. Safe to share between sessions and threads."""

    def __init__(
        self, base_url: str, api_key: str, transport: httpx.MockTransport | httpx.HTTPTransport | None = None
    ) -> None:
        self._base_url = base_url
        self._headers = {"authorization": f"Bearer {api_key}", "user-agent": "nexus-ui"}
        self._mock = transport if isinstance(transport, httpx.MockTransport) else None
        self._client = httpx.Client(base_url=base_url, headers=self._headers, timeout=TIMEOUT, transport=transport)

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def ask(
        self, question: str, *, knowledge_base: str, conversation_id: str | None
    ) -> Generator[AnswerEvent, None, None]:
        """A streamed answer. The stream is read in a thread of its own, so that the one who listens gets a `Waiting`
        several times a second and can stop even while the model is silent; stopping closes the connection."""
        nexus = {"knowledge_base": knowledge_base, "conversation_id": conversation_id}
        body = {
            "model": MODEL,
            "messages": [{"role": "user", "content": question}],
            "stream": True,
            "nexus": {name: value for name, value in nexus.items() if value is not None},
        }
        inbox: queue.SimpleQueue[AnswerEvent | None] = queue.SimpleQueue()
        with start_blocking_portal() as portal:
            reading = portal.start_task_soon(self._read_answer, body, inbox)
            try:
                yield from _until_the_end(inbox)
                reading.result()
            finally:
                reading.cancel()

    async def _read_answer(self, body: dict[str, Any], inbox: "queue.SimpleQueue[AnswerEvent | None]") -> None:
        reader = AnswerReader()
        try:
            with _named("ask"):
                async with (
                    httpx.AsyncClient(
                        base_url=self._base_url, headers=self._headers, timeout=ANSWER_TIMEOUT, transport=self._mock
                    ) as client,
                    aconnect_sse(client, "POST", "/v1/chat/completions", json=body) as source,
                ):
                    if source.response.status_code != HTTPStatus.OK:
                        await source.response.aread()
                        raise _refusal(source.response)
                    async for event in source.aiter_sse():
                        for part in reader.read(event.data):
                            inbox.put(part)
                        if reader.done:
                            return
                    raise Interrupted("The answer stopped before its end.")
        finally:
            inbox.put(None)

    def search(self, query: str, *, knowledge_base: str, top_k: int) -> Sequence[Hit]:
        """The passages nearest to `query`, best first."""
        body = {"query": query, "knowledge_base": knowledge_base, "top_k": top_k}
        return _several(Hit, self._call("search", "POST", "/v1/search", json=body), "hits")

    def vote(
        self, answer_id: str, rating: Rating, *, comment: str | None = None, correction: str | None = None
    ) -> None:
        """Keep a vote on an answer; a second replaces the first."""
        body = {"answer_id": answer_id, "rating": rating, "comment": comment, "correction": correction}
        self._call("vote", "POST", "/v1/feedback", json={name: value for name, value in body.items() if value})

    def knowledge_bases(self) -> Sequence[KnowledgeBase]:
        """Those that hold documents."""
        return _several(KnowledgeBase, self._call("list_bases", "GET", "/v1/knowledge-bases"), "knowledge_bases")

    def documents(self, knowledge_base: str, *, prefix: str = "", cursor: str | None = None) -> DocumentPage:
        """A page of documents in the order of their keys."""
        query = {"knowledge_base": knowledge_base, "limit": PAGE_SIZE, "prefix": prefix, "cursor": cursor}
        given = {name: value for name, value in query.items() if value}
        return _one(DocumentPage, self._call("list_documents", "GET", "/v1/documents", params=given))

    def document(self, key: str, *, knowledge_base: str) -> Document:
        """Where one document stands."""
        response = self._call("get_document", "GET", _path(key), params={"knowledge_base": knowledge_base})
        return _one(Document, response)

    def content(self, key: str, *, knowledge_base: str) -> Content:
        """The bytes of a document as they were put in."""
        query = {"knowledge_base": knowledge_base}
        response = self._call("get_content", "GET", f"{_path(key)}/content", params=query)
        return Content(response.content, response.headers.get("content-type", "application/octet-stream"))

    def upload(self, key: str, data: bytes, *, knowledge_base: str, media_type: str) -> None:
        """Put a document in, or replace it. Indexing goes on afterwards."""
        self._call(
            "upload",
            "PUT",
            _path(key),
            params={"knowledge_base": knowledge_base},
            content=data,
            headers={"content-type": media_type},
            timeout=UPLOAD_TIMEOUT,
        )

    def delete(self, key: str, *, knowledge_base: str) -> None:
        """Take a document out."""
        self._call("delete", "DELETE", _path(key), params={"knowledge_base": knowledge_base})

    def status(self) -> StackState:
        """How every part of the stack is."""
        return _one(StackState, self._call("status", "GET", "/v1/status"))

    def dead_letters(self) -> Sequence[DeadLetter]:
        """What failed three times."""
        return _several(DeadLetter, self._call("dead_letters", "GET", "/v1/dead-letters"), "dead_letters")

    def replay(self, letter_id: str) -> None:
        """Try a failed document once more."""
        self._call("replay", "POST", f"/v1/dead-letters/{quote(letter_id, safe='')}/replay")

    def _call(self, operation: str, method: str, path: str, **options: Any) -> httpx.Response:
        with _named(operation):
            response = self._client.request(method, path, **options)
            if response.is_success:
                return response
            raise _refusal(response)


@contextmanager
def _named(operation: str) -> Iterator[None]:
    """Time a call under its name and turn what httpx raises into our own errors."""
    started, outcome = time.perf_counter(), "ok"
    try:
        yield
    except GatewayError as exc:
        outcome = type(exc).__name__
        raise
    except httpx.TimeoutException as exc:
        outcome = "Unreachable"
        raise Unreachable("The gateway did not answer in time.") from exc
    except SSEError as exc:
        outcome = "Broken"
        raise Broken("The gateway did not answer with a stream.") from exc
    except (httpx.ReadError, httpx.RemoteProtocolError) as exc:
        outcome = "Interrupted"
        raise Interrupted("The connection broke in the middle of the answer.") from exc
    except httpx.HTTPError as exc:
        outcome = "Unreachable"
        raise Unreachable("Nobody answers at the gateway's address.") from exc
    finally:
        CALLS.labels(operation, outcome).observe(time.perf_counter() - started)


def _until_the_end(inbox: "queue.SimpleQueue[AnswerEvent | None]") -> Iterator[AnswerEvent]:
    while True:
        try:
            event = inbox.get(timeout=HEARTBEAT_SECONDS)
        except queue.Empty:
            event = Waiting()
        if event is None:
            return
        yield event


def _path(key: str) -> str:
    return f"/v1/documents/{quote(key, safe='/')}"


def _refusal(response: httpx.Response) -> GatewayError:
    """The error a response stands for, with the message of its body when it has our shape."""
    try:
        message = str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"The gateway answered with status {response.status_code}."
    seconds = response.headers.get("retry-after", "")
    return of_status(response.status_code, message, int(seconds) if seconds.isdecimal() else None)


def _one(kind: type[Parsed], response: httpx.Response) -> Parsed:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as exc:
        raise Broken("The gateway answered in a shape this chatbot does not understand.") from exc


def _several(kind: type[Parsed], response: httpx.Response, name: str) -> Sequence[Parsed]:
    try:
        return [kind.model_validate(item) for item in response.json()[name]]
    except (ValueError, KeyError, TypeError) as exc:  # pydantic's ValidationError is a ValueError
        raise Broken("The gateway answered in a shape this chatbot does not understand.") from exc
