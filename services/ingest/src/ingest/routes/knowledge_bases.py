"""Knowledge bases come into being with their first document."""

from fastapi import APIRouter
from opskit.identity import DEFAULT_KNOWLEDGE_BASE, InternalCaller

from ingest.dependencies import AppServices
from ingest.schemas import ErrorBody, KnowledgeBaseList, KnowledgeBaseStatus

router = APIRouter(tags=["knowledge bases"], responses={401: {"model": ErrorBody}})


@router.get("/v1/knowledge-bases", operation_id="list_knowledge_bases", summary="List knowledge bases")
def list_knowledge_bases(services: AppServices, caller: InternalCaller) -> KnowledgeBaseList:
    """The tenant's knowledge bases with their numbers of documents and chunks."""
    found = {kb.name: kb for kb in services.catalogue.knowledge_bases(caller.tenant)}
    names = sorted({DEFAULT_KNOWLEDGE_BASE, *found})
    return KnowledgeBaseList(
        knowledge_bases=[
            KnowledgeBaseStatus(
                name=name,
                documents=found[name].documents if name in found else 0,
                chunks=found[name].chunks if name in found else 0,
            )
            for name in names
        ]
    )
