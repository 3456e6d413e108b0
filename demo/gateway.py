"""What the demonstration does through the gateway, as any client would."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

_MARK = re.compile(r"\s*\[\d+\]")
_QUOTATION = re.compile(r"[\"“].*", re.S)


@dataclass(frozen=True)
class Reply:
    """An answer as a user sees it."""

    id: str
    text: str
    abstained: bool
    release: str
    documents: tuple[str, ...]

    @property
    def short(self) -> str:
        """What it says before it quotes."""
        return "" if self.abstained else _QUOTATION.sub("", _MARK.sub("", self.text)).strip(" .")


class Gateway:
    """One key's view of the platform. Close it when done."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=60.0)

    def ask(self, question: str) -> Reply:
        """A question in a conversation of its own. What is overloaded is asked again."""
        body = {"model": "nexus", "messages": [{"role": "user", "content": question}]}
        while (response := self._client.post("/v1/chat/completions", json=body)).status_code in (429, 503):
            time.sleep(float(response.headers.get("retry-after", "1")))
        said = response.raise_for_status().json()
        return Reply(
            said["id"],
            said["choices"][0]["message"]["content"],
            said["nexus"]["abstained"],
            said["nexus"]["release"],
            tuple(one["document"] for one in said["citations"]),
        )

    def vote(self, reply: Reply, rating: str, correction: str | None = None) -> None:
        """Thumbs, and what would have been right."""
        body = {"answer_id": reply.id, "rating": rating} | ({"correction": correction} if correction else {})
        self._client.post("/v1/feedback", json=body).raise_for_status()

    def make_key(self, name: str) -> str:
        """The secret of a new key that may chat."""
        body = {"name": name, "tenant": "default", "scopes": ["chat"]}
        return str(self._client.post("/v1/keys", json=body).raise_for_status().json()["key"])

    def put(self, key: str, text: str) -> None:
        """Put a document in, or replace it."""
        headers = {"content-type": "text/markdown"}
        self._client.put(f"/v1/documents/{key}", content=text.encode(), headers=headers).raise_for_status()

    def delete(self, key: str) -> None:
        """Take a document out."""
        self._client.delete(f"/v1/documents/{key}").raise_for_status()

    def status_of(self, key: str) -> str:
        """Where a document stands."""
        return str(self.get(f"/v1/documents/{key}")["status"])

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Any page of the API."""
        return self._client.get(path, params=query).raise_for_status().json()

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()
