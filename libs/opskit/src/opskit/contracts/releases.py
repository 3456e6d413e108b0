"""Which releases serve: decided by trainer, followed by rag."""

import hashlib
import json
from typing import Any

from pydantic import Field

from opskit.contracts.reader import READER_MODEL, Message

EXTRACTIVE, LLAMA = "extractive", "llama.cpp"
"""The engines whose readers are served here, and can be tuned."""


class ReleaseBundle(Message):
    """What rag needs of a release to answer with it."""

    release: str = Field(pattern=r"^rel_[A-Za-z0-9]{1,64}$")
    reader_model: str = READER_MODEL
    """The Triton model that reads: `reader`, which Triton starts with, or one that was loaded for this release."""
    reader_digest: str
    embedder_fingerprint: str = ""
    engine: str
    settings: dict[str, Any]
    """Prompt and retrieval settings, as in rag's release file."""


class ServingTable(Message):
    """Who answers. Without a champion it is the release that rag and Triton start with."""

    champion: ReleaseBundle | None = None
    challenger: ReleaseBundle | None = None
    share: float = Field(0.0, ge=0, le=1, description="Of the conversations, so many go to the challenger.")


def release_id(reader_digest: str, settings: dict[str, Any], embedder_fingerprint: str) -> str:
    """The id of these settings with these models: the same parts give the same id on every machine."""
    parts = [reader_digest, settings["prompt"], settings["retrieval"], embedder_fingerprint]
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"rel_{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"
