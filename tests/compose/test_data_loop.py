"""The bucket is the store: what S3 clients do there reaches the answers, by events and without them."""

import io

import pytest
from minio import Minio

from tests.compose.stack import ComposeStack
from tests.e2e.clients import Nexus, metric
from tests.e2e.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

QUESTION = "How heavy is the anchor of the Guillemot?"


@pytest.fixture(scope="module")
def bucket(containers: ComposeStack) -> Minio:
    """The documents' bucket, as people reach it from outside, with the root user that was made for this stack."""
    user, password = (
        containers.run("ingest", "cat", f"/run/secrets/nexus/ingest/nexus_s3_{name}_key").strip()
        for name in ("access", "secret")
    )
    return Minio(
        containers.env["NEXUS_S3_URL"].removeprefix("http://"), access_key=user, secret_key=password, secure=False
    )


@pytest.fixture
def desk_key(desk: Nexus) -> str:
    """A document in the test's own knowledge base."""
    return f"default/{desk.base}/ships/guillemot.md"


def put(bucket: Minio, key: str, kilograms: int) -> None:
    text = f"# Guillemot\n\nThe anchor of the Guillemot weighs {kilograms} kilograms.\n".encode()
    bucket.put_object("nexus", key, io.BytesIO(text), len(text))


def test_an_object_put_overwritten_and_removed_reaches_the_answers_by_its_events(
    containers: ComposeStack, bucket: Minio, desk: Nexus, desk_key: str
) -> None:
    ingest = containers.env["NEXUS_INGEST_URL"]
    before = metric(ingest, "nexus_changes_noticed_total", by="event")
    put(bucket, desk_key, 412)
    until(lambda: "412" in desk.ask(QUESTION).text, "the object answers", seconds=30)
    put(bucket, desk_key, 415)
    until(lambda: "415" in desk.ask(QUESTION).text, "the overwritten object answers", seconds=30)
    bucket.remove_object("nexus", desk_key)
    until(lambda: desk.search(QUESTION) == [], "the removed object is gone", seconds=30)
    assert metric(ingest, "nexus_changes_noticed_total", by="event") >= before + 3


def test_events_that_nobody_could_take_are_delivered_later_or_found_by_reconcile(
    containers: ComposeStack, bucket: Minio, desk: Nexus, desk_key: str
) -> None:
    containers.compose("stop", "ingest")
    put(bucket, desk_key, 418)
    containers.up("ingest")
    until(lambda: "418" in desk.ask(QUESTION).text, "the object answers", seconds=60)


def test_a_document_put_through_the_gateway_is_an_object_and_its_content_comes_back(bucket: Minio, desk: Nexus) -> None:
    desk.add("plain.md", "# Buoys\n\nThere are nineteen buoys in the fairway.\n")
    found = bucket.get_object("nexus", f"default/{desk.base}/plain.md")
    assert b"nineteen" in found.data
    assert b"nineteen" in desk.content("plain.md").content
    desk.delete("plain.md")
    desk.wait_for("plain.md", "deleted")
    assert not list(bucket.list_objects("nexus", prefix=f"default/{desk.base}/", recursive=True))
