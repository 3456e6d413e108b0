"""Terms that tell nothing."""

from rag.adapters.common_terms import CommonTerms, shares_in


class Index:
    """Stands for Milvus: so many chunks, all about argo, one about waves."""

    def __init__(self, size: int) -> None:
        self._sample = ["argo cd wave", *["argo cd"] * (size - 1)]

    async def sample_of_terms(self, size: int) -> list[str]:
        return self._sample[:size]


def test_common_is_what_a_share_of_the_chunks_have_however_often_each_says_it():
    assert shares_in(["a a a b", "c", "d", "a"]) == {"a": 0.5, "b": 0.25, "c": 0.25, "d": 0.25}
    assert shares_in([]) == {}


async def test_common_terms_are_left_out_of_a_question_that_has_others():
    common = CommonTerms(Index(300))
    assert common.without(["argo", "sync", "wave", "order"], common_from=0.2) == ["argo", "sync", "wave", "order"], (
        "nothing is known yet"
    )
    await common.refresh()
    assert common.without(["argo", "sync", "wave", "order"], common_from=0.2) == ["sync", "wave", "order"]


async def test_a_question_of_common_terms_alone_keeps_them():
    common = CommonTerms(Index(300))
    await common.refresh()
    assert common.without(["argo", "cd", "wave"], common_from=0.2) == ["argo", "cd", "wave"]


async def test_a_small_index_has_no_common_terms():
    common = CommonTerms(Index(20))
    await common.refresh()
    assert common.without(["argo", "sync", "wave", "order"], common_from=0.2) == ["argo", "sync", "wave", "order"]


async def test_each_release_has_its_own_share():
    common = CommonTerms(Index(300))
    await common.refresh()
    terms = ["argo", "sync", "wave", "order"]
    assert common.without(terms, common_from=1.0) == ["sync", "wave", "order"]
    common._shares["wave"] = 0.5
    assert common.without([*terms, "hook"], common_from=0.4) == ["sync", "order", "hook"]
    assert common.without([*terms, "hook"], common_from=0.6) == ["sync", "wave", "order", "hook"]
