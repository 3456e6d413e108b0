"""A gateway that lives in memory, and a way to run pages against it without a browser or a server."""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from ui.errors import GatewayError, NotThere
from ui.models import (
    AnswerEvent,
    Citation,
    Content,
    DeadLetter,
    Delta,
    Document,
    DocumentPage,
    Finished,
    Hit,
    KnowledgeBase,
    Rating,
    ServiceState,
    StackState,
)

MAIN = Path(__file__).parents[1] / "src" / "ui" / "main.py"
PASSAGE = "Some words before. The default retention is 15 days. Some words after."
CITATION = Citation(
    index=1,
    document="prometheus/storage.md",
    title="Storage",
    quote="The default retention is 15 days.",
    chunk_id="chk_1",
    page=3,
)
ANSWER: tuple[AnswerEvent, ...] = (
    Delta("15 days. "),
    Delta('"The default retention is 15 days." [1]'),
    Finished("ans_1", (CITATION,), release="rel_1", conversation_id="conv_1", timings={"retrieve": 0.02}),
)


class FakeGateway:
    """Satisfies `ui.ports.Gateway`; remembers what it was told. `broken` makes the named methods raise."""

    def __init__(self) -> None:
        self.answers: list[Sequence[AnswerEvent | GatewayError]] = []
        self.asked: list[dict[str, Any]] = []
        self.votes: list[dict[str, Any]] = []
        self.stored: dict[str, dict[str, Document]] = {"default": {}}
        self.contents: dict[str, Content] = {}
        self.letters: list[DeadLetter] = []
        self.replayed: list[str] = []
        self.hits: list[Hit] = [Hit(document="prometheus/storage.md", chunk_id="chk_1", text=PASSAGE, page=3)]
        self.state = StackState(status="ready", services={"rag": ServiceState(status="ready", checks={"milvus": "ok"})})
        self.broken: dict[str, GatewayError] = {}

    def _may_break(self, method: str) -> None:
        if method in self.broken:
            raise self.broken[method]

    def hold(self, key: str, *, base: str = "default", status: str = "indexed", **more: Any) -> None:
        """Have a document."""
        self.stored.setdefault(base, {})[key] = Document(document=key, status=status, **{"chunks": 4, **more})

    def ask(
        self, question: str, *, knowledge_base: str, conversation_id: str | None
    ) -> Generator[AnswerEvent, None, None]:
        self.asked.append({"question": question, "base": knowledge_base, "conversation": conversation_id})
        self._may_break("ask")
        for event in self.answers.pop(0) if self.answers else ANSWER:
            if isinstance(event, GatewayError):
                raise event
            yield event

    def search(self, query: str, *, knowledge_base: str, top_k: int) -> Sequence[Hit]:
        self._may_break("search")
        return self.hits

    def vote(
        self, answer_id: str, rating: Rating, *, comment: str | None = None, correction: str | None = None
    ) -> None:
        self._may_break("vote")
        self.votes.append({"answer": answer_id, "rating": rating, "comment": comment, "correction": correction})

    def knowledge_bases(self) -> Sequence[KnowledgeBase]:
        self._may_break("knowledge_bases")
        return [KnowledgeBase(name=name, documents=len(rows)) for name, rows in self.stored.items()]

    def documents(self, knowledge_base: str, *, prefix: str = "", cursor: str | None = None) -> DocumentPage:
        self._may_break("documents")
        rows = self.stored.get(knowledge_base, {})
        return DocumentPage(documents=[rows[key] for key in sorted(rows) if key.startswith(prefix)])

    def document(self, key: str, *, knowledge_base: str) -> Document:
        if key not in self.stored.get(knowledge_base, {}):
            raise NotThere("There is no such document.")
        return self.stored[knowledge_base][key]

    def content(self, key: str, *, knowledge_base: str) -> Content:
        if key not in self.contents:
            raise NotThere("There is no such document.")
        return self.contents[key]

    def upload(self, key: str, data: bytes, *, knowledge_base: str, media_type: str) -> None:
        self._may_break("upload")
        self.contents[key] = Content(data, media_type)
        self.hold(key, base=knowledge_base, status="queued", chunks=0)

    def delete(self, key: str, *, knowledge_base: str) -> None:
        self._may_break("delete")
        del self.stored[knowledge_base][key]

    def status(self) -> StackState:
        self._may_break("status")
        return self.state

    def dead_letters(self) -> Sequence[DeadLetter]:
        self._may_break("dead_letters")
        return self.letters

    def replay(self, letter_id: str) -> None:
        self.replayed.append(letter_id)
        self.letters = [letter for letter in self.letters if letter.id != letter_id]


@pytest.fixture
def gateway() -> FakeGateway:
    """A gateway that holds one document."""
    fake = FakeGateway()
    fake.hold("prometheus/storage.md")
    return fake


@pytest.fixture
def open_page(gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    """Open the whole app at its first page, or one of the other pages, talking to the fake gateway."""
    monkeypatch.setenv("NEXUS_API_KEY", "a-key-for-tests")
    monkeypatch.setenv("NEXUS_PROMETHEUS_URL", "http://127.0.0.1:9090")
    st.cache_resource.clear()

    def opened(name: str = "chat") -> AppTest:
        if name == "chat":
            app = AppTest.from_file(str(MAIN), default_timeout=20)
        else:  # AppTest cannot turn to a page that is a function, so it is run without the frame
            app = AppTest.from_string(f"from ui.views import {name}\n\n{name}.page()", default_timeout=20)
        app.session_state["gateway"] = gateway
        app.run()
        assert not app.exception
        return app

    return opened
