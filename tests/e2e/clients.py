"""The platform as its users see it: small clients over HTTP, knowing nothing but the public contract."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.waiting import until

SETTLED = ("indexed", "failed", "deleted")


def key_path(key: str) -> str:
    """The path of a document."""
    return f"/v1/documents/{quote(key, safe='/')}"


@dataclass(frozen=True)
class Answer:
    """An answer as it came, whole or streamed."""

    body: Mapping[str, Any]
    text: str

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def citations(self) -> list[dict[str, Any]]:
        return list(self.body["citations"])

    @property
    def details(self) -> dict[str, Any]:
        return dict(self.body["nexus"])

    @property
    def abstained(self) -> bool:
        return bool(self.details["abstained"])


@dataclass
class Streamed:
    """An answer that came in pieces."""

    pieces: list[str] = field(default_factory=list)
    chunks: list[dict[str, Any]] = field(default_factory=list)
    done: bool = False
    first_words_seconds: float | None = None
    seconds: float = 0.0

    @property
    def answer(self) -> Answer:
        return Answer(self.chunks[-1], "".join(self.pieces))


class Nexus:
    """One key at the gateway, working in one knowledge base."""

    def __init__(self, url: str, key: str | None, *, base: str = "default", timeout: float = 60.0) -> None:
        self.url, self.key, self.base = url, key, base
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=timeout)

    def within(self, base: str) -> "Nexus":
        """The same key in another knowledge base."""
        return Nexus(self.url, self.key, base=base)

    def with_key(self, key: str | None) -> "Nexus":
        """Another key in the same knowledge base."""
        return Nexus(self.url, key, base=self.base)

    def close(self) -> None:
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Documents

    def put(self, key: str, data: bytes | str) -> httpx.Response:
        content = data.encode() if isinstance(data, str) else data
        return self.http.put(key_path(key), content=content, params={"knowledge_base": self.base})

    def document(self, key: str) -> httpx.Response:
        return self.http.get(key_path(key), params={"knowledge_base": self.base})

    def content(self, key: str) -> httpx.Response:
        return self.http.get(f"{key_path(key)}/content", params={"knowledge_base": self.base})

    def delete(self, key: str) -> httpx.Response:
        return self.http.delete(key_path(key), params={"knowledge_base": self.base})

    def documents(self, **query: Any) -> httpx.Response:
        return self.http.get("/v1/documents", params={"knowledge_base": self.base, **query})

    def add(self, key: str, data: bytes | str, *, seconds: float = 60.0) -> dict[str, Any]:
        """Put a document and wait until this version of it is searchable."""
        response = self.put(key, data)
        assert response.status_code == 202, response.text
        return self.wait_for(key, "indexed", etag=response.json()["etag"], seconds=seconds)

    def wait_for(self, key: str, status: str, *, etag: str | None = None, seconds: float = 60.0) -> dict[str, Any]:
        """The document once it has reached `status` in the version `etag`."""

        def look() -> dict[str, Any] | None:
            response = self.document(key)
            if response.status_code == 404 and status == "deleted":
                return {"document": key, "status": "deleted"}
            if response.status_code != 200:
                return None
            body: dict[str, Any] = response.json()
            if etag is not None and body["etag"] != etag:
                return None
            if body["status"] == "failed" and status != "failed":
                raise AssertionError(f"{key} failed: {body['error']}")
            return body if body["status"] == status else None

        return until(look, f"{key} {status}", seconds=seconds)

    # Questions

    def search(self, query: str, *, top_k: int = 5) -> list[dict[str, Any]]:
        body = {"query": query, "top_k": top_k, "knowledge_base": self.base}
        response = self.http.post("/v1/search", json=body)
        assert response.status_code == 200, response.text
        return list(response.json()["hits"])

    def chat(self, question: str, *, conversation_id: str | None = None, **fields: Any) -> httpx.Response:
        return self.http.post("/v1/chat/completions", json=self._question(question, conversation_id, fields))

    def ask(self, question: str, *, conversation_id: str | None = None, **fields: Any) -> Answer:
        response = self.chat(question, conversation_id=conversation_id, **fields)
        assert response.status_code == 200, response.text
        body = response.json()
        return Answer(body, body["choices"][0]["message"]["content"])

    def stream(self, question: str, *, conversation_id: str | None = None, **fields: Any) -> Streamed:
        """Ask and listen to the end."""
        body = self._question(question, conversation_id, {**fields, "stream": True})
        heard, started = Streamed(), time.perf_counter()
        with self.http.stream("POST", "/v1/chat/completions", json=body) as response:
            if response.status_code != 200:
                raise AssertionError(response.read().decode())
            for event in _events(response):
                if event == "[DONE]":
                    heard.done = True
                    continue
                chunk = json.loads(event)
                assert "error" not in chunk, chunk
                heard.chunks.append(chunk)
                words = "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])
                if words and heard.first_words_seconds is None:
                    heard.first_words_seconds = time.perf_counter() - started
                heard.pieces.append(words)
        heard.seconds = time.perf_counter() - started
        return heard

    def vote(self, answer_id: str, rating: str, **fields: Any) -> httpx.Response:
        return self.http.post("/v1/feedback", json={"answer_id": answer_id, "rating": rating, **fields})

    def new_key(self, *scopes: str, tenant: str = "default", name: str = "made by a test") -> dict[str, Any]:
        """Make a key; needs the scope admin."""
        response = self.http.post("/v1/keys", json={"name": name, "tenant": tenant, "scopes": list(scopes)})
        assert response.status_code == 201, response.text
        return dict(response.json())

    def _question(self, question: str, conversation_id: str | None, fields: Mapping[str, Any]) -> dict[str, Any]:
        nexus = {"knowledge_base": self.base}
        if conversation_id is not None:
            nexus["conversation_id"] = conversation_id
        return {"model": "nexus", "messages": [{"role": "user", "content": question}], "nexus": nexus, **fields}


def _events(response: httpx.Response) -> Iterator[str]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield line.removeprefix("data: ")


def raw(
    url: str, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """A request whose target goes out exactly as given, where other clients would tidy it up."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None and "content-length" not in {name.lower() for name in headers or {}}:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def metric(url: str, name: str, **labels: str) -> float:
    """The sum over all series of a metric that carry `labels`; 0 where there is none yet."""
    text = httpx.get(f"{url}/metrics", timeout=10).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
