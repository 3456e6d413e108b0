"""S3 event notifications are hints which documents to look at."""

import json
from urllib.parse import unquote_plus

import pytest
from ingest.events import MAX_RECORDS, hinted_documents
from ingest.keys import DocumentName
from opskit.errors import InvalidRequest


def record(key: str, *, bucket: str = "nexus", event: str = "s3:ObjectCreated:Put") -> dict:
    """As MinIO writes it, with `key` escaped as in a query; a removal has neither size nor etag."""
    written = {"size": 3, "eTag": "acbd18db4cc2f85cedef654fccc4a4d8", "contentType": "text/markdown"}
    return {
        "eventVersion": "2.0",
        "eventSource": "minio:s3",
        "awsRegion": "",
        "eventTime": "2026-11-20T12:00:00.123Z",
        "eventName": event,
        "userIdentity": {"principalId": "nexus"},
        "requestParameters": {"principalId": "nexus", "region": "", "sourceIPAddress": "172.18.0.9"},
        "responseElements": {
            "x-amz-id-2": "dd9025bab4ad464b049177c95eb6ebf374d3b3fd1af9251148b658df7ac2e3e8",
            "x-amz-request-id": "17F3A9C2D5B1E6A0",
            "x-minio-deployment-id": "5f3c1b0e-7a53-4f6b-9d5e-2f1f3a7f9c11",
            "x-minio-origin-endpoint": "http://172.18.0.4:9000",
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "Config",
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": "nexus"}, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {
                "key": key,
                "versionId": "9c1c2a4e-6f5c-4d3b-8a57-0f7f5f0c2b11",
                "sequencer": "17F3A9C2D5C3A1B2",
                **({} if "Removed" in event else {**written, "userMetadata": {"content-type": "text/markdown"}}),
            },
        },
        "source": {"host": "172.18.0.9", "port": "", "userAgent": "MinIO (linux; amd64) minio-py/7.2.20"},
    }


def notification(*records: dict) -> bytes:
    first = records[0]
    key = f"{first['s3']['bucket']['name']}/{unquote_plus(first['s3']['object']['key'])}"
    return json.dumps({"EventName": first["eventName"], "Key": key, "Records": list(records)}).encode()


@pytest.mark.parametrize(
    "event",
    [
        "s3:ObjectCreated:Put",
        "s3:ObjectCreated:Post",
        "s3:ObjectCreated:Copy",
        "s3:ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectRemoved:Delete",
        "s3:ObjectRemoved:DeleteMarkerCreated",
        "s3:ObjectRemoved:DeleteAllVersions",
        "s3:ObjectRemoved:NoOP",
        "s3:LifecycleExpiration:Delete",
    ],
)
def test_whatever_happened_to_an_object_is_a_hint(event):
    found = hinted_documents(notification(record("acme%2Fdefault%2Fa.md", event=event)), bucket="nexus")
    assert found == [DocumentName("acme", "default", "a.md")]


@pytest.mark.parametrize(
    ("escaped", "key"),
    [
        ("a+b.md", "a b.md"),
        ("a%2Bb.md", "a+b.md"),
        ("100%2525.md", "100%25.md"),
        ("%C3%BC%F0%9F%98%80%2Fx.md", "\u00fc\U0001f600/x.md"),
        ("a%26b%3D%22c%22.md", 'a&b="c".md'),
    ],
)
def test_a_key_is_read_as_minio_escapes_it(escaped, key):
    (found,) = hinted_documents(notification(record(f"acme%2Fdefault%2F{escaped}")), bucket="nexus")
    assert found.key == key


def test_a_batch_is_taken_whole_and_each_document_once():
    records = [record(f"acme%2Fdefault%2F{number % 3}.md") for number in range(9)]
    assert [name.key for name in hinted_documents(notification(*records), bucket="nexus")] == ["0.md", "1.md", "2.md"]


def test_an_event_of_aws_is_read_as_well():
    body = {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]}
    body["Records"][0]["s3"] = {"bucket": {"name": "nexus"}, "object": {"key": "acme/default/a+b.md", "size": 3}}
    assert [name.key for name in hinted_documents(json.dumps(body).encode(), bucket="nexus")] == ["a b.md"]


def test_an_event_of_a_bucket_itself_is_taken_and_says_nothing():
    assert hinted_documents(notification(record("", event="s3:BucketCreated:*")), bucket="nexus") == []


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
        json.dumps({"Records": [record("a/b/c")] * (MAX_RECORDS + 1)}).encode(),
    ],
)
def test_what_is_no_notification_is_refused(body):
    with pytest.raises(InvalidRequest):
        hinted_documents(body, bucket=None)
