"""Trying settings before anybody is answered with them: trainer asks, rag says what would be said."""

from typing import Any

from pydantic import Field

from opskit.contracts.answers import Citation
from opskit.contracts.reader import Message, Passage
from opskit.contracts.releases import ReleaseBundle


class SettingsCheck(Message):
    """Prompt and retrieval settings, whole as in rag's release file. rag sends them back as it understands them."""

    settings: dict[str, Any]


class Trial(Message):
    """A question put to a release that need not serve. Nothing of it is kept, and no user is counted by it."""

    release: ReleaseBundle
    question: str
    knowledge_base: str
    passages: list[Passage] | None = Field(None, description="To be read in place of what a search would find.")


class TrialAnswer(Message):
    """What the release says, and what it says it from."""

    answer: str
    short: str
    """Its shortest form; empty when it abstained, or when no reader was asked."""
    abstained: bool
    citations: list[Citation]
    passages: list[Passage]
    """What the reader was shown."""
    confidence: float | None = None
    seconds: float
