"""Candidates of one knowledge base, without older versions of documents."""

from opskit.contracts.chunks import scope

from rag.candidates import newest_generations
from rag.ports import Found, Retriever


async def retrieve(
    retriever: Retriever, question: str, *, tenant: str, knowledge_base: str, wanted: int
) -> list[Found]:
    """Best first. Never anything of another tenant or knowledge base."""
    return newest_generations(await retriever.find(question, scope=scope(tenant, knowledge_base), wanted=wanted))
