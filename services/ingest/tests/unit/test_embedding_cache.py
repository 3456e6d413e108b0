"""Vectors that were made once are found again, bit for bit."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ingest.embedding_cache import digest_of


@pytest.fixture
def database(any_database):
    return any_database


def test_a_kept_vector_is_found_unchanged_and_only_for_its_embedder(stack):
    texts = [f"text {n}" for n in range(1200)]
    digests = [digest_of(text) for text in texts]
    vectors = stack.embedder.embed(texts)
    stack.cache.keep("f1", digests, vectors)
    found = stack.cache.known("f1", digests)
    assert np.array_equal(np.stack([found[digest] for digest in digests]), vectors)
    assert stack.cache.known("f2", digests) == {}


def test_keeping_twice_is_fine(stack):
    vectors = stack.embedder.embed(["a"])
    for _ in range(2):
        stack.cache.keep("f", [digest_of("a")], vectors)
    assert len(stack.cache.known("f", [digest_of("a")])) == 1


def test_workers_that_keep_the_same_vectors_in_another_order_do_not_wait_for_each_other(stack):
    digests = [digest_of(str(number)) for number in range(300)]
    vectors = np.ones((300, 4), dtype=np.float32)

    def keep(step: int) -> None:
        stack.cache.keep("embedder-1", digests[::step], vectors)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep, [1, -1] * 10))
    assert len(stack.cache.known("embedder-1", digests)) == 300
