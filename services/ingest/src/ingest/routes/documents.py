"""Documents: put, look up, list, read, delete."""

import base64
import mimetypes
from pathlib import PurePosixPath
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from opskit.errors import InvalidRequest
from opskit.identity import InternalCaller
from pydantic import ValidationError

from ingest.dependencies import AppServices, KnowledgeBaseName, Name, body_within
from ingest.keys import MAX_KEY_BYTES
from ingest.schemas import Cursor, DocumentList, DocumentStatus, ErrorBody
from ingest.tables import Document

_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": ErrorBody, "description": "The key, a parameter or the body is not acceptable."},
    401: {"model": ErrorBody, "description": "Not the gateway."},
}
_MISSING: Final[dict[int | str, dict[str, Any]]] = {404: {"model": ErrorBody, "description": "No such document."}}
_AWAY: Final[dict[int | str, dict[str, Any]]] = {503: {"model": ErrorBody, "description": "The store is away."}}
_TYPES: Final = {".md": "text/markdown", ".markdown": "text/markdown", ".jsonl": "application/jsonl"}

router = APIRouter(tags=["documents"], responses=_ERRORS)


def status_of(row: Document) -> DocumentStatus:
    """A row of the catalogue on the wire."""
    return DocumentStatus(
        document=row.key,
        knowledge_base=row.knowledge_base,
        etag=row.etag,
        status=row.status,
        chunks=row.chunks,
        error=row.error,
        title=row.title,
        updated_at=row.updated_at,
    )


@router.get("/v1/documents", operation_id="list_documents", summary="List documents")
def list_documents(
    services: AppServices,
    caller: InternalCaller,
    knowledge_base: KnowledgeBaseName,
    prefix: Annotated[str, Query(max_length=MAX_KEY_BYTES, description="Only keys that start so.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=8192, description="`next_cursor` of the page before.")] = None,
) -> DocumentList:
    """Documents of a knowledge base, ordered by key."""
    if "\0" in prefix or "\ufffd" in prefix:
        raise InvalidRequest("The prefix holds a NUL or bytes that are not UTF-8.", param="prefix")
    after = _after(cursor) if cursor else ""
    page = services.catalogue.page(caller.tenant, knowledge_base, prefix=prefix, after=after, limit=limit + 1)
    shown = page.documents[:limit]
    following = _cursor(shown[-1].key) if len(page.documents) > limit else None
    return DocumentList(documents=[status_of(row) for row in shown], total=page.total, next_cursor=following)


@router.get(
    "/v1/documents/{key:path}/content",
    operation_id="get_document_content",
    summary="Read a document's bytes",
    response_class=Response,
    responses=_MISSING | _AWAY | {200: {"content": {"application/octet-stream": {}}}},
)
def get_document_content(services: AppServices, name: Name) -> Response:
    """The bytes as they were put. They are untrusted, so browsers are told to save them and not to show them."""
    content = services.documents.content(name)
    file = PurePosixPath(name.key).name
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file, safe='')}",
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
        "etag": f'"{content.etag}"',
    }
    return Response(content.data, media_type=_media_type(file), headers=headers)


@router.get(
    "/v1/documents/{key:path}", operation_id="get_document", summary="How far a document is", responses=_MISSING
)
def get_document(services: AppServices, name: Name) -> DocumentStatus:
    """Status, number of searchable chunks and, when it failed, the reason. A deleted document is `deleted` for a day,
    then unknown. (A document whose key ends in `/content` cannot be asked for here: that path is its bytes.)"""
    return status_of(services.documents.get(name))


@router.put(
    "/v1/documents/{key:path}",
    operation_id="put_document",
    summary="Put a document",
    status_code=202,
    responses=_AWAY
    | {
        409: {"model": ErrorBody, "description": "The key would be both a document and a folder."},
        413: {"model": ErrorBody, "description": "Too many bytes."},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_document(services: AppServices, name: Name, request: Request) -> DocumentStatus:
    """Store the body under the key and queue it for indexing; what was there is replaced once the new version is
    indexed whole. The same bytes again cost nothing."""
    data = await body_within(request, services.settings.max_document_bytes)
    if not data:
        raise InvalidRequest("The body is empty; send the document's bytes.")
    return status_of(await run_in_threadpool(services.documents.put, name, data))


@router.delete(
    "/v1/documents/{key:path}",
    operation_id="delete_document",
    summary="Delete a document",
    status_code=202,
    responses=_MISSING | _AWAY,
)
def delete_document(services: AppServices, name: Name) -> DocumentStatus:
    """Remove the document from the store now, and its chunks from the index within seconds."""
    return status_of(services.documents.delete(name))


def _media_type(file: str) -> str:
    kind = _TYPES.get(PurePosixPath(file).suffix.lower()) or mimetypes.guess_type(file)[0]
    return kind or "application/octet-stream"


def _cursor(after: str) -> str:
    return base64.urlsafe_b64encode(Cursor(after=after).model_dump_json().encode()).decode()


def _after(cursor: str) -> str:
    try:
        return Cursor.model_validate_json(base64.b64decode(cursor, altchars=b"-_", validate=True)).after
    except (ValueError, ValidationError) as exc:
        raise InvalidRequest(
            "The cursor is not one of ours; use `next_cursor` as it was given.", param="cursor"
        ) from exc
