"""What may be lost is made again: the broker's memory and the vectors. What may not is said to be away, in words."""

import pytest

from tests.compose.stack import ComposeStack, run
from tests.e2e.clients import Nexus, metric
from tests.e2e.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

QUESTION = "How long is the warranty of the Otter 3?"


def lose(containers: ComposeStack, service: str, volume: str) -> None:
    """Take a service's container and its volume away, for good."""
    containers.compose("rm", "--stop", "--force", service)
    run("docker", "volume", "rm", containers.volume(volume))


def test_without_redis_and_all_it_held_documents_are_taken_and_answers_given(
    containers: ComposeStack, shelf: Nexus, desk: Nexus
) -> None:
    answer = shelf.ask(QUESTION).text
    lose(containers, "redis", "redis")
    assert (
        desk.put("meanwhile.md", "# Buoys\n\nThe green buoy of Skagen blinks every seven seconds.\n").status_code == 202
    )
    assert shelf.ask(QUESTION).text == answer
    containers.up()
    desk.wait_for("meanwhile.md", "indexed", seconds=90)
    assert "seven" in desk.ask("How often does the green buoy of Skagen blink?").text


def test_vectors_that_are_lost_are_made_again_without_embedding_anything_anew(
    containers: ComposeStack, shelf: Nexus
) -> None:
    answer = shelf.ask(QUESTION)
    embedded = metric(containers.part_url("ingest-worker"), "nexus_embeddings_total")
    lose(containers, "milvus", "milvus")
    refused = shelf.chat(QUESTION)
    assert refused.status_code == 503, refused.text
    assert int(refused.headers["retry-after"]) >= 1
    containers.up()
    until(lambda: shelf.ask(QUESTION).text == answer.text, "everything answers again", seconds=180, every=1)
    assert metric(containers.part_url("ingest-worker"), "nexus_embeddings_total") == embedded
