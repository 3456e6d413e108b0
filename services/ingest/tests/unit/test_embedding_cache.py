"""Vectors that were made once are found again, bit for bit."""

import numpy as np
from ingest.embedding_cache import digest_of


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
