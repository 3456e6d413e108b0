"""The typed things a route may ask for."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from opskit.errors import TooLarge, Unauthenticated
from opskit.identity import DEFAULT_KNOWLEDGE_BASE, InternalCaller
from sqlalchemy import Engine

from ingest.catalogue import Catalogue
from ingest.claims import Claims
from ingest.dead_letters import DeadLetters
from ingest.documents import Documents
from ingest.keys import DocumentName, checked_key, checked_knowledge_base
from ingest.ports import DocumentStore, TaskQueue
from ingest.settings import Settings


@dataclass(frozen=True)
class Services:
    """What the lifespan made."""

    settings: Settings
    engine: Engine
    store: DocumentStore
    queue: TaskQueue
    catalogue: Catalogue
    claims: Claims
    documents: Documents
    dead_letters: DeadLetters


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _knowledge_base(
    knowledge_base: Annotated[
        str, Query(description="The knowledge base the document is in.")
    ] = DEFAULT_KNOWLEDGE_BASE,
) -> str:
    return checked_knowledge_base(knowledge_base)


KnowledgeBaseName = Annotated[str, Depends(_knowledge_base)]
AppServices = Annotated[Services, Depends(_services)]


def _document_name(caller: InternalCaller, key: str, knowledge_base: KnowledgeBaseName) -> DocumentName:
    return DocumentName(caller.tenant, knowledge_base, checked_key(key))


Name = Annotated[DocumentName, Depends(_document_name)]


def require_events_token(request: Request, services: AppServices) -> None:
    """The token that the object store presents; none is asked for when none is set."""
    expected = services.settings.events_token.get_secret_value()
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if expected and not (scheme.lower() == "bearer" and secrets.compare_digest(given.encode(), expected.encode())):
        raise Unauthenticated("The events door wants its bearer token (NEXUS_EVENTS_TOKEN).")


async def body_within(request: Request, limit: int) -> bytes:
    """The request's body, refused as soon as it is known to be too large."""
    too_large = TooLarge(f"The body has more than {limit:,} bytes.")
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limit:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise too_large
    return bytes(body)
