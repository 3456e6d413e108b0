"""What the pages need of the gateway. The real client and the tests' fake both satisfy it."""

from collections.abc import Generator, Sequence
from typing import Protocol

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
)


class Gateway(Protocol):
    """The gateway's API as far as the chatbot uses it. Every method may raise a `GatewayError`."""

    def ask(
        self, question: str, *, knowledge_base: str, conversation_id: str | None
    ) -> Generator[AnswerEvent, None, None]:
        """A streamed answer. Closing the generator cancels the answer all the way down."""

    def search(self, query: str, *, knowledge_base: str, top_k: int) -> Sequence[Hit]:
        """The passages nearest to `query`, best first."""

    def vote(
        self, answer_id: str, rating: Rating, *, comment: str | None = None, correction: str | None = None
    ) -> None:
        """Keep a vote on an answer; a second replaces the first."""

    def knowledge_bases(self) -> Sequence[KnowledgeBase]:
        """Those that hold documents."""

    def documents(self, knowledge_base: str, *, prefix: str = "", cursor: str | None = None) -> DocumentPage:
        """A page of documents in the order of their keys."""

    def document(self, key: str, *, knowledge_base: str) -> Document:
        """Where one document stands."""

    def content(self, key: str, *, knowledge_base: str) -> Content:
        """The bytes of a document as they were put in."""

    def upload(self, key: str, data: bytes, *, knowledge_base: str, media_type: str) -> None:
        """Put a document in, or replace it. Indexing goes on afterwards."""

    def delete(self, key: str, *, knowledge_base: str) -> None:
        """Take a document out."""

    def status(self) -> StackState:
        """How every part of the stack is."""

    def dead_letters(self) -> Sequence[DeadLetter]:
        """What failed three times."""

    def replay(self, letter_id: str) -> None:
        """Try a failed document once more."""
