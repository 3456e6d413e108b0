"""The platform under evaluation, through its public API alone."""

import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.e2e.clients import Nexus
from tests.e2e.waiting import until
from tests.evaluation.corpus import Corpus
from tests.evaluation.judging import DEEPEST, Passage, Reply

INDEX_SECONDS = 900.0
_PAGE = 200


def ingest(nexus: Nexus, corpus: Corpus) -> float:
    """Put every document and wait until each is indexed or has failed; seconds from the last PUT until then. What is
    there already costs nothing."""
    for key, data in corpus.documents.items():
        nexus.put(key, data).raise_for_status()
    last_put = time.monotonic()
    until(lambda: not unsettled(nexus), "every document is indexed", seconds=INDEX_SECONDS, every=0.5)
    return time.monotonic() - last_put


def unsettled(nexus: Nexus) -> int:
    """Documents that are still queued or being indexed."""
    return sum(status in ("queued", "indexing") for status in statuses(nexus).values())


def statuses(nexus: Nexus) -> Mapping[str, str]:
    """The status of every document."""
    found: dict[str, str] = {}
    cursor: str | None = None
    while True:
        page = nexus.documents(limit=_PAGE, **({"cursor": cursor} if cursor else {})).raise_for_status().json()
        found |= {one["document"]: one["status"] for one in page["documents"]}
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def search(nexus: Nexus, question: str) -> list[Passage]:
    """What the platform finds."""
    return [Passage(hit["document"], hit["text"]) for hit in nexus.search(question, top_k=DEEPEST)]


def ask(nexus: Nexus, question: str) -> Reply:
    """What the platform answers."""
    began = time.perf_counter()
    answer = nexus.ask(question)
    return Reply(
        text=answer.text,
        abstained=answer.abstained,
        citations=answer.citations,
        seconds=time.perf_counter() - began,
        id=answer.id,
        timings=answer.details["timings"],
    )


def add_sureness(replies: Mapping[str, Reply], env: Mapping[str, str], env_file: Path) -> None:
    """How sure the platform was of each answer, from rag's internal door; nothing where that is closed to us."""
    token = env_file.parent / "secrets" / "internal_token"
    if "NEXUS_RAG_URL" not in env or not token.exists():
        return
    headers = {
        "authorization": f"Bearer {token.read_text().strip()}",
        "x-nexus-tenant": "default",
        "x-nexus-key-id": "eval",
    }
    with httpx.Client(base_url=env["NEXUS_RAG_URL"], headers=headers) as rag:
        for reply in replies.values():
            confidence = rag.get(f"/internal/answers/{reply.id}").raise_for_status().json().get("confidence")
            if confidence is not None:
                reply.sureness = 1 - confidence if reply.abstained else confidence
