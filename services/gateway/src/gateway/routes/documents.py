"""Documents: put in, looked at, taken out."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import Response

from gateway import document_keys, json_body
from gateway.dependencies import GatewayDep, Librarian, Reader
from gateway.passing import CourierDep
from gateway.routes.docs import answers
from gateway.schemas.base import KnowledgeBaseName
from gateway.schemas.documents import DocumentAccepted, DocumentPage, DocumentShown, KnowledgeBases
from gateway.uploads import Upload


class _DocumentKey(PathConvertor):
    """Any text. Starlette's own `path` does not match a line break, which deserves a reason and not a 404."""

    regex = r"[\s\S]*"


register_url_convertor("document_key", _DocumentKey())

router = APIRouter(tags=["documents"])

MAX_CURSOR_BYTES = 4096
KnowledgeBase = Annotated[KnowledgeBaseName | None, Query(description="`default` when left out.")]
RAW_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The document's bytes. The format is told by the key's ending and the content itself.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
# A document is somebody's upload: opened in a browser, it must not run as a page of this origin.
INERT = {"content-security-policy": "sandbox; default-src 'none'", "x-content-type-options": "nosniff"}


def _path(key: str, suffix: str = "") -> str:
    return f"/v1/documents/{document_keys.encoded_key(key)}{suffix}"


@router.get(
    "/v1/documents",
    operation_id="list_documents",
    summary="List documents",
    responses=answers(DocumentPage, description="A page of documents."),
)
async def list_documents(
    request: Request,
    gateway: GatewayDep,
    caller: Librarian,
    courier: CourierDep,
    knowledge_base: KnowledgeBase = None,
    prefix: Annotated[str, Query(description="Only keys that start with this.")] = "",
    limit: Annotated[int | None, Query(ge=1, le=1000)] = None,
    cursor: Annotated[str, Query(description="`next_cursor` of the page before.")] = "",
) -> Response:
    """The documents of a knowledge base in the order of their keys, page by page."""
    document_keys.decoded(request.scope["query_string"].replace(b"+", b"%20"), param="query")
    document_keys.checked_text(prefix, param="prefix", max_bytes=document_keys.MAX_KEY_BYTES)
    document_keys.checked_text(cursor, param="cursor", max_bytes=MAX_CURSOR_BYTES)
    query = {"knowledge_base": knowledge_base, "prefix": prefix or None, "limit": limit, "cursor": cursor or None}
    return courier.relay(gateway.services.ingest, "GET", "/v1/documents", caller=caller, query=query)


@router.put(
    "/v1/documents/{key:document_key}",
    operation_id="put_document",
    summary="Put a document in, or replace it",
    status_code=202,
    responses=answers(DocumentAccepted, status=202, errors=(413,), description="Recorded; indexing goes on."),
    openapi_extra=RAW_BODY,
)
async def put_document(
    request: Request, gateway: GatewayDep, caller: Librarian, courier: CourierDep, knowledge_base: KnowledgeBase = None
) -> Response:
    """Send the document's bytes as the body. The same bytes again cost nothing. Watch `status` until `indexed`."""
    key = document_keys.key_of(request.scope["raw_path"])
    declared = json_body.declared_length(request.headers.get("content-length"))
    upload = Upload(request.stream(), declared=declared, limit=gateway.settings.max_document_bytes)
    await upload.begin()
    described = {name: value for name in ("content-type", "content-length") if (value := request.headers.get(name))}
    return courier.relay(
        gateway.services.ingest,
        "PUT",
        _path(key),
        caller=caller,
        query={"knowledge_base": knowledge_base},
        upload=upload.body(),
        upload_headers=described,
        body_sent=upload.sent,
    )


# Stands before the route of the document itself: for GET, an ending `/content` always means the bytes.
@router.get(
    "/v1/documents/{key:document_key}/content",
    operation_id="get_document_content",
    summary="Get a document's bytes back",
    responses=answers(errors=(404,), description="The bytes as they were put in.")
    | {200: {"description": "The bytes as they were put in.", "content": {"application/octet-stream": {}}}},
)
async def get_document_content(
    request: Request, gateway: GatewayDep, caller: Reader, courier: CourierDep, knowledge_base: KnowledgeBase = None
) -> Response:
    """The document as it was put in."""
    key = document_keys.key_of(request.scope["raw_path"], suffix=document_keys.CONTENT_SUFFIX)
    return courier.relay(
        gateway.services.ingest,
        "GET",
        _path(key, "/content"),
        caller=caller,
        query={"knowledge_base": knowledge_base},
        extra_headers=INERT,
    )


@router.get(
    "/v1/documents/{key:document_key}",
    operation_id="get_document",
    summary="See where a document stands",
    responses=answers(DocumentShown, errors=(404,), description="The document."),
)
async def get_document(
    request: Request, gateway: GatewayDep, caller: Librarian, courier: CourierDep, knowledge_base: KnowledgeBase = None
) -> Response:
    """Its status, its chunks, and the reason when it failed."""
    key = document_keys.key_of(request.scope["raw_path"])
    query = {"knowledge_base": knowledge_base}
    return courier.relay(gateway.services.ingest, "GET", _path(key), caller=caller, query=query)


@router.delete(
    "/v1/documents/{key:document_key}",
    operation_id="delete_document",
    summary="Take a document out",
    status_code=202,
    responses=answers(DocumentAccepted, status=202, errors=(404,), description="Recorded; its chunks go next."),
)
async def delete_document(
    request: Request, gateway: GatewayDep, caller: Librarian, courier: CourierDep, knowledge_base: KnowledgeBase = None
) -> Response:
    """It disappears from answers within seconds."""
    key = document_keys.key_of(request.scope["raw_path"])
    query = {"knowledge_base": knowledge_base}
    return courier.relay(gateway.services.ingest, "DELETE", _path(key), caller=caller, query=query)


@router.get(
    "/v1/knowledge-bases",
    operation_id="list_knowledge_bases",
    summary="List your knowledge bases",
    responses=answers(KnowledgeBases, description="Your knowledge bases."),
)
async def list_knowledge_bases(gateway: GatewayDep, caller: Reader, courier: CourierDep) -> Response:
    """A knowledge base comes to be with its first document."""
    return courier.relay(gateway.services.ingest, "GET", "/v1/knowledge-bases", caller=caller)
