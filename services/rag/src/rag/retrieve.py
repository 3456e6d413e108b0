"""Candidates of one knowledge base, without older versions of documents."""

from opskit.contracts.chunks import scope

from rag.candidates import newest_generations
from rag.ports import Found, Retriever
from rag.release import RetrievalSettings


async def retrieve(
    retriever: Retriever,
    question: str,
    *,
    tenant: str,
    knowledge_base: str,
    wanted: int,
    settings: RetrievalSettings,
) -> list[Found]:
    """Best first. Never anything of another tenant or knowledge base."""
    within = scope(tenant, knowledge_base)
    return newest_generations(await retriever.find(question, scope=within, wanted=wanted, settings=settings))
