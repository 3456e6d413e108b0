"""The embedder's client against a server that speaks Triton's protocol."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from ingest.adapters.triton_embedder import TritonEmbedder
from ingest.errors import BrokenVectors
from opskit.contracts.chunks import EMBEDDING_DIMENSION
from opskit.errors import Unavailable

pytestmark = pytest.mark.contract


@pytest.fixture
def embedder(triton) -> TritonEmbedder:
    return TritonEmbedder(triton.address)


def test_texts_become_vectors_in_order(embedder):
    lengths = embedder.embed(["a", "bbb", "ü😀"])[:, 1] * 100_000
    assert lengths.round().tolist() == [1, 3, 2]


def test_the_fingerprint_is_the_models_own_word_each_time(embedder, triton):
    assert embedder.fingerprint() == "f" * 64
    triton.fingerprint = "e" * 64
    assert embedder.fingerprint() == "e" * 64


def test_both_instances_are_used_while_nobody_else_asks(embedder, triton):
    triton.seconds = 0.05
    embed_side_by_side(embedder)
    assert triton.most_at_once == 2


def test_one_is_left_to_others_who_ask(embedder, triton):
    triton.seconds = 0.05
    asking = threading.Event()

    def ask_now_and_then() -> None:
        while not asking.wait(0.02):
            triton.served += 1

    others = threading.Thread(target=ask_now_and_then)
    others.start()
    embed_side_by_side(embedder)  # learns that there are others
    triton.most_at_once = 0
    embed_side_by_side(embedder)
    asking.set()
    others.join()
    assert triton.most_at_once == 1


def embed_side_by_side(embedder) -> None:
    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(embedder.embed, [f"text {n}"] * 16) for n in range(6)]:
            done.result()


def test_a_short_absence_is_waited_out(embedder, triton):
    triton.fail_next = 2
    assert embedder.embed(["a"]).shape == (1, EMBEDDING_DIMENSION)


def test_a_longer_one_is_unavailable(embedder, triton):
    triton.fail_next = 99
    with pytest.raises(Unavailable):
        embedder.embed(["a"])


def test_vectors_of_another_size_are_refused(embedder, triton):
    triton.size = 7
    with pytest.raises(BrokenVectors):
        embedder.embed(["a"])


def test_a_model_without_fingerprint_is_unavailable(embedder, triton):
    triton.fingerprint = ""
    with pytest.raises(Unavailable):
        embedder.fingerprint()


def test_a_server_that_is_away_is_unavailable():
    with pytest.raises(Unavailable):
        TritonEmbedder("127.0.0.1:1").fingerprint()
