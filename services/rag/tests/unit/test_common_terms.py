"""Terms that tell nothing."""

from rag.adapters.common_terms import CommonTerms, common_in


class Index:
    """Stands for Milvus: so many chunks, all about argo, one about waves."""

    def __init__(self, size: int) -> None:
        self._sample = ["argo cd wave", *["argo cd"] * (size - 1)]

    async def sample_of_terms(self, size: int) -> list[str]:
        return self._sample[:size]


def test_common_is_what_a_share_of_the_chunks_have_however_often_each_says_it():
    assert common_in(["a a a b", "c", "d", "a"], share=0.5) == {"a"}
    assert common_in([], share=0.5) == frozenset()


async def test_common_terms_are_left_out_of_a_question_that_has_others():
    common = CommonTerms(Index(300), share=0.2)
    assert common.without(["argo", "sync", "wave", "order"]) == ["argo", "sync", "wave", "order"], (
        "nothing is known yet"
    )
    await common.refresh()
    assert common.without(["argo", "sync", "wave", "order"]) == ["sync", "wave", "order"]


async def test_a_question_of_common_terms_alone_keeps_them():
    common = CommonTerms(Index(300), share=0.2)
    await common.refresh()
    assert common.without(["argo", "cd", "wave"]) == ["argo", "cd", "wave"]


async def test_a_small_index_has_no_common_terms():
    common = CommonTerms(Index(20), share=0.2)
    await common.refresh()
    assert common.without(["argo", "sync", "wave", "order"]) == ["argo", "sync", "wave", "order"]
