"""Retrieval through LlamaIndex on a real Milvus Lite server."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore
from opskit.errors import Unavailable
from rag.adapters.common_terms import CommonTerms
from rag.adapters.milvus import MilvusChunks
from rag.adapters.retrievers import DenseRetriever, FusedRetriever, LexicalRetriever, LlamaIndexRetriever
from rag.ports import Embedded
from rag.release import load_release
from rag.retrieve import retrieve

pytestmark = pytest.mark.contract

ACME = "acme/default"


class EmbedsAlongAxis:
    """Every question means the same: its vector points along one axis."""

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    async def embed(self, texts: Sequence[str]) -> Embedded:
        vectors = np.zeros((len(texts), 384), dtype=np.float32)
        vectors[:, self.axis] = 1.0
        return Embedded(vectors, [1] * len(texts))


@pytest.fixture
async def chunks(index):
    chunks = MilvusChunks(index.url, index.models)
    yield chunks
    await chunks.close()


@pytest.fixture
def retriever(chunks):
    return LlamaIndexRetriever(chunks, EmbedsAlongAxis(), CommonTerms(chunks))


SETTINGS = load_release(Path(__file__).parents[2] / "src" / "rag" / "release.yaml").retrieval


def texts(found):
    return [one.text for one in found]


async def test_what_was_just_written_is_found_by_meaning_and_by_words(index, retriever):
    index.write("Meant but not said.", axis=0)
    index.write("The reconciliation interval.", axis=5)
    found = await retriever.find("reconciliation", scope=ACME, wanted=10, settings=SETTINGS)
    assert set(texts(found)) == {"Meant but not said.", "The reconciliation interval."}


async def test_a_hit_in_both_legs_is_first(index, retriever):
    index.write("Only near.", axis=0)
    index.write("Near, and says reconciliation.", axis=0, document="both.md")
    index.write("Says reconciliation only, far away and in so many more words than the other.", axis=7)
    found = await retriever.find("reconciliation", scope=ACME, wanted=10, settings=SETTINGS)
    assert texts(found)[0] == "Near, and says reconciliation."
    assert found[0].score == pytest.approx(1.0, abs=0.5)
    assert all(one.score >= other.score for one, other in pairwise(found))


async def test_the_better_bm25_match_wins_although_lite_says_it_negatively(index, chunks):
    index.write("apple", axis=1)
    index.write("apple " + "and many other words that have nothing to do with fruit at all " * 5, axis=2)
    rows = await chunks.matching("appl", scope=ACME, limit=5)
    assert rows[0].fields["text"] == "apple"
    assert rows[0].score > rows[1].score > 0


async def test_everything_a_citation_needs_comes_along(index, retriever):
    id = index.write("Page three.", document="guide.pdf", page=3)
    (one,) = await retriever.find("page", scope=ACME, wanted=10, settings=SETTINGS)
    assert (one.chunk_id, one.document, one.page, one.title, one.heading) == (id, "guide.pdf", 3, "Title", "Heading")
    assert one.similarity == pytest.approx(1.0, abs=0.001)


async def test_a_format_without_pages_has_none(index, retriever):
    index.write("No page.")
    (one,) = await retriever.find("page", scope=ACME, wanted=10, settings=SETTINGS)
    assert one.page is None


@pytest.mark.parametrize(("tenant", "knowledge_base"), [("other", "default"), ("acme", "other"), ("acm", "default")])
async def test_another_tenant_or_knowledge_base_is_never_seen(index, retriever, tenant, knowledge_base):
    index.write("A secret about reconciliation.", tenant=tenant, knowledge_base=knowledge_base)
    assert await retriever.find("secret reconciliation", scope=ACME, wanted=10, settings=SETTINGS) == []


async def test_many_rows_of_others_do_not_hide_the_one_of_ours(index, retriever):
    for number in range(60):
        index.write(f"Reconciliation number {number}.", tenant="big", document=f"{number}.md")
    index.write("Our reconciliation.", axis=3)
    assert texts(await retriever.find("reconciliation", scope=ACME, wanted=10, settings=SETTINGS)) == [
        "Our reconciliation."
    ]


async def test_while_a_document_is_replaced_only_its_new_version_is_seen(index, retriever):
    index.write("The interval is 3 minutes.", generation=1)
    index.write("The interval is 5 minutes.", generation=2)
    found = await retrieve(retriever, "interval", tenant="acme", knowledge_base="default", wanted=10, settings=SETTINGS)
    assert texts(found) == ["The interval is 5 minutes."]


async def test_an_empty_collection_and_none_at_all_are_both_empty(index, retriever):
    assert await retriever.find("anything", scope=ACME, wanted=10, settings=SETTINGS) == []
    index.drop()
    assert await retriever.find("anything", scope=ACME, wanted=10, settings=SETTINGS) == []


@pytest.mark.parametrize("question", ["?!", "the of and", "\x00", "日本語", "a" * 8000, '" or 1 == 1 --', "x " * 4000])
async def test_any_question_can_be_searched(index, retriever, question):
    index.write("Something.")
    assert len(await retriever.find(question, scope=ACME, wanted=10, settings=SETTINGS)) == 1


async def test_as_many_as_wanted_are_found(index, retriever):
    for number in range(40):
        index.write(f"Chunk number {number}.", document=f"{number}.md")
    assert len(await retriever.find("chunk", scope=ACME, wanted=40, settings=SETTINGS)) == 40


async def test_milvus_may_restart_and_forget_what_was_loaded(index, retriever, eventually):
    index.write("Still here.")
    index.flush()
    assert await retriever.find("here", scope=ACME, wanted=5, settings=SETTINGS)
    index.server.kill()
    with pytest.raises(Unavailable):
        await retriever.find("here", scope=ACME, wanted=5, settings=SETTINGS)
    index.server.start()

    async def found_again() -> bool:
        try:
            return texts(await retriever.find("here", scope=ACME, wanted=5, settings=SETTINGS)) == ["Still here."]
        except Unavailable:
            return False

    await eventually(found_again)


async def test_the_seam_is_llamaindexs_own(index, chunks, release):
    index.write("Anything.")
    legs = (
        DenseRetriever(chunks, EmbedsAlongAxis(), scope=ACME, limit=5),
        LexicalRetriever(chunks, CommonTerms(chunks), scope=ACME, limit=5, common_from=0.2),
    )
    fused = FusedRetriever(*legs, release.retrieval)
    for one in (*legs, fused):
        assert isinstance(one, BaseRetriever)
        (node,) = await one.aretrieve("anything")
        assert isinstance(node, NodeWithScore)


async def test_reciprocal_ranks_are_a_setting_away(index, retriever, release):
    index.write("Anything.")
    settings = release.retrieval.model_copy(update={"fusion": "rrf"})
    (one,) = await retriever.find("anything", scope=ACME, wanted=5, settings=settings)
    assert one.score == pytest.approx(1.0)


async def test_a_sample_of_terms_comes_from_the_index(index, chunks):
    assert await chunks.sample_of_terms(10) == []
    index.write("Reconciling applications.", axis=0)
    assert await chunks.sample_of_terms(10) == ["titl head reconcil applic"]
