"""What the platform is compared with, on the same documents and the same embedder."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
from opskit.contracts.chunks import FIELD, scope
from opskit.lexical import lexical_text
from pymilvus import MilvusClient

from tests.evaluation.judging import DEEPEST, Passage

Embed = Callable[[Sequence[str]], list[list[float]]]
Search = Callable[[str], list[Passage]]

_TEXTS_A_REQUEST = 32
_LEG = 20
_RRF_K = 60


def platform_embedder(http: httpx.Client) -> Embed:
    """The platform's own embedder, through its public API."""
    models = http.get("/v1/models").raise_for_status().json()["data"]
    model = next(one["id"] for one in models if one["id"] != "nexus")

    def embed(texts: Sequence[str]) -> list[list[float]]:
        vectors: list[list[float]] = []
        for at in range(0, len(texts), _TEXTS_A_REQUEST):
            body = {"model": model, "input": list(texts[at : at + _TEXTS_A_REQUEST])}
            answer = http.post("/v1/embeddings", json=body).raise_for_status()
            vectors += [one["embedding"] for one in answer.json()["data"]]
        return vectors

    return embed


def same_chunks(milvus_url: str, embed: Embed, *, tenant: str, knowledge_base: str) -> dict[str, Search]:
    """Dense alone, words alone, and plain reciprocal rank fusion of both, over the platform's own chunks."""
    client = MilvusClient(milvus_url)
    (collection,) = client.list_collections()
    within = f'{FIELD.SCOPE} == "{scope(tenant, knowledge_base)}"'

    def leg(field: str, data: Any) -> list[Passage]:
        shown = [FIELD.DOCUMENT, FIELD.TEXT]
        found = client.search(
            collection, [data], filter=within, limit=_LEG, output_fields=shown, anns_field=field
        )  # fmt: skip
        return [Passage(hit["entity"][FIELD.DOCUMENT], hit["entity"][FIELD.TEXT]) for hit in found[0]]

    def dense(question: str) -> list[Passage]:
        return leg(FIELD.DENSE, embed([question])[0])

    def lexical(question: str) -> list[Passage]:
        return leg(FIELD.SPARSE, lexical_text(question))

    def rrf(question: str) -> list[Passage]:
        scores: dict[Passage, float] = {}
        for ranked in (dense(question), lexical(question)):
            for rank, passage in enumerate(ranked, 1):
                scores[passage] = scores.get(passage, 0.0) + 1 / (_RRF_K + rank)
        return sorted(scores, key=lambda passage: -scores[passage])

    return {"dense only": dense, "BM25 only": lexical, "plain RRF": rrf}


def llama_index_default(texts: Mapping[str, str], embed: Embed) -> Search:
    """LlamaIndex as its starter tutorial has it: `VectorStoreIndex.from_documents`, default splitter, dense."""
    _without_hard_links()
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.embeddings import BaseEmbedding

    class Platform(BaseEmbedding):
        """The same embedder as everybody's."""

        def _get_text_embedding(self, text: str) -> list[float]:
            return embed([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return embed(texts)

        def _get_query_embedding(self, query: str) -> list[float]:
            return embed([query])[0]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    documents = [Document(text=text, metadata={"file_path": key}) for key, text in texts.items()]
    index = VectorStoreIndex.from_documents(documents, embed_model=Platform(embed_batch_size=_TEXTS_A_REQUEST))
    retriever = index.as_retriever(similarity_top_k=DEEPEST)

    def search(question: str) -> list[Passage]:
        nodes = retriever.retrieve(question)
        return [Passage(str(one.node.metadata["file_path"]), one.node.get_content()) for one in nodes]

    return search


def _without_hard_links() -> None:
    """The default splitter reads NLTK data that comes with LlamaIndex, and NLTK refuses files with hard links, which is
    how uv installs packages. A plain copy is read."""
    if "NLTK_DATA" in os.environ:
        return
    spec = find_spec("llama_index.core")
    assert spec is not None
    assert spec.origin is not None
    copy = Path(tempfile.mkdtemp(prefix="nltk-"))
    shutil.copytree(Path(spec.origin).parent / "_static" / "nltk_cache", copy, dirs_exist_ok=True)
    os.environ["NLTK_DATA"] = str(copy)
