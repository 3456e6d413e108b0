"""The typed client of the gateway for whoever asks questions and keeps documents."""

import queue
from collections.abc import Generator, Iterator, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
from anyio.from_thread import start_blocking_portal
from httpx_sse import aconnect_sse

from ui.calls import Calls, headers_for, named, one, refusal, several
from ui.errors import Interrupted
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
UPLOAD_TIMEOUT = httpx.Timeout(120.0, connect=3.0)
ANSWER_TIMEOUT = httpx.Timeout(120.0, connect=3.0)
"""Bounds the silence between two bytes, not the length of an answer; a large model may think for long."""


class GatewayClient:
    """Speaks to one gateway with one key. Safe to share between sessions and threads."""

    def __init__(
        self, base_url: str, api_key: str, transport: httpx.MockTransport | httpx.HTTPTransport | None = None
    ) -> None:
        self._base_url = base_url
        self._headers = headers_for(api_key)
        self._mock = transport if isinstance(transport, httpx.MockTransport) else None
        self._calls = Calls(base_url, self._headers, transport)

    def close(self) -> None:
        """Close the pooled connections."""
        self._calls.close()

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
            with named("ask"):
                async with (
                    httpx.AsyncClient(
                        base_url=self._base_url, headers=self._headers, timeout=ANSWER_TIMEOUT, transport=self._mock
                    ) as client,
                    aconnect_sse(client, "POST", "/v1/chat/completions", json=body) as source,
                ):
                    if source.response.status_code != HTTPStatus.OK:
                        await source.response.aread()
                        raise refusal(source.response)
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
        return several(Hit, self._calls.make("search", "POST", "/v1/search", json=body), "hits")

    def vote(
        self, answer_id: str, rating: Rating, *, comment: str | None = None, correction: str | None = None
    ) -> None:
        """Keep a vote on an answer; a second replaces the first."""
        body = {"answer_id": answer_id, "rating": rating, "comment": comment, "correction": correction}
        self._calls.make("vote", "POST", "/v1/feedback", json={name: value for name, value in body.items() if value})

    def knowledge_bases(self) -> Sequence[KnowledgeBase]:
        """Those that hold documents."""
        return several(KnowledgeBase, self._calls.make("list_bases", "GET", "/v1/knowledge-bases"), "knowledge_bases")

    def documents(self, knowledge_base: str, *, prefix: str = "", cursor: str | None = None) -> DocumentPage:
        """A page of documents in the order of their keys."""
        query = {"knowledge_base": knowledge_base, "limit": PAGE_SIZE, "prefix": prefix, "cursor": cursor}
        given = {name: value for name, value in query.items() if value}
        return one(DocumentPage, self._calls.make("list_documents", "GET", "/v1/documents", params=given))

    def document(self, key: str, *, knowledge_base: str) -> Document:
        """Where one document stands."""
        response = self._calls.make("get_document", "GET", _path(key), params={"knowledge_base": knowledge_base})
        return one(Document, response)

    def content(self, key: str, *, knowledge_base: str) -> Content:
        """The bytes of a document as they were put in."""
        query = {"knowledge_base": knowledge_base}
        response = self._calls.make("get_content", "GET", f"{_path(key)}/content", params=query)
        return Content(response.content, response.headers.get("content-type", "application/octet-stream"))

    def upload(self, key: str, data: bytes, *, knowledge_base: str, media_type: str) -> None:
        """Put a document in, or replace it. Indexing goes on afterwards."""
        self._calls.make(
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
        self._calls.make("delete", "DELETE", _path(key), params={"knowledge_base": knowledge_base})

    def status(self) -> StackState:
        """How every part of the stack is."""
        return one(StackState, self._calls.make("status", "GET", "/v1/status"))

    def dead_letters(self) -> Sequence[DeadLetter]:
        """What failed three times."""
        return several(DeadLetter, self._calls.make("dead_letters", "GET", "/v1/dead-letters"), "dead_letters")

    def replay(self, letter_id: str) -> None:
        """Try a failed document once more."""
        self._calls.make("replay", "POST", f"/v1/dead-letters/{quote(letter_id, safe='')}/replay")


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
