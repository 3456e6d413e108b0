"""S3 event notifications are hints which documents to look at."""

import json

import pytest
from ingest.events import MAX_RECORDS, hinted_documents
from ingest.keys import DocumentName
from opskit.errors import InvalidRequest


def record(key: str, *, bucket: str = "nexus", event: str = "s3:ObjectCreated:Put") -> dict:
    return {
        "eventVersion": "2.0",
        "eventSource": "minio:s3",
        "eventName": event,
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": key, "size": 3, "eTag": "abc", "sequencer": "17"},
        },
    }


def notification(*records: dict) -> bytes:
    return json.dumps({"EventName": "s3:ObjectCreated:Put", "Key": "nexus/x", "Records": list(records)}).encode()


def test_keys_are_url_decoded_with_plus_as_space():
    body = notification(record("acme/default/my+file%2Fa%C3%BC.md"))
    assert hinted_documents(body, bucket="nexus") == [DocumentName("acme", "default", "my file/aü.md")]


def test_a_removal_and_a_creation_of_one_object_are_one_hint():
    body = notification(record("acme/kb/a.md"), record("acme/kb/a.md", event="s3:ObjectRemoved:Delete"))
    assert len(hinted_documents(body, bucket="nexus")) == 1


def test_other_buckets_and_objects_that_are_no_documents_are_left_out():
    body = notification(record("acme/kb/a.md", bucket="other"), record("loose.txt"), record("acme/kb/.nexus.tmp"))
    assert hinted_documents(body, bucket="nexus") == []


def test_any_bucket_counts_when_documents_are_kept_in_a_folder():
    assert len(hinted_documents(notification(record("acme/kb/a.md", bucket="other")), bucket=None)) == 1


def test_the_test_event_of_aws_is_fine():
    assert hinted_documents(b'{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"nexus"}', bucket=None) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[1]",
        b"{broken",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"Records": 5}',
        b'{"Records": [{}]}',
        b'{"Records": [{"s3": {"object": {"key": 7}}}]}',
        b'{"Records": [{"s3": {"object": {"key": ""}}}]}',
        json.dumps({"Records": [record("a/b/c")] * (MAX_RECORDS + 1)}).encode(),
    ],
)
def test_what_is_no_notification_is_refused(body):
    with pytest.raises(InvalidRequest):
        hinted_documents(body, bucket=None)
