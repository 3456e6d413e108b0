"""A bucket goes into a tar stream and comes back as it was."""

import gzip
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable

import pytest
from ingest.adapters import bucket_archive
from ingest.adapters.bucket_archive import BrokenArchive, Tally
from ingest.adapters.s3_client import open_client
from minio import Minio

pytestmark = pytest.mark.contract
BIG = os.urandom(12 * 1024 * 1024)
KEYS = {
    "acme/default/guide.md": b"# Guide",
    "acme/default/a b+c%20\u00fc\U0001f600.md": b"text",
    "/etc/passwd": b"a key is no path",
    "e" * 300 + "/empty": b"",
    "acme/default/big.pdf": BIG,
}


@pytest.fixture
def client(s3_settings) -> Minio:
    return open_client(s3_settings)


@pytest.fixture
def bucket(client, s3_settings) -> str:
    bucket = s3_settings.s3_bucket
    client.make_bucket(bucket)
    for key, data in KEYS.items():
        client.put_object(bucket, key, io.BytesIO(data), len(data), "text/markdown", {"x-amz-meta-by": "somebody"})
    packed = gzip.compress(b"packed text" * 100)
    client.put_object(bucket, "packed", io.BytesIO(packed), len(packed), metadata={"content-encoding": "gzip"})
    return bucket


@pytest.fixture
def command(s3_settings) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    def run(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = {
            "NEXUS_INTERNAL_TOKEN": "an-internal-token-of-length",
            "NEXUS_STORE": "s3",
            "NEXUS_S3_ENDPOINT": s3_settings.s3_endpoint,
            "NEXUS_S3_ACCESS_KEY": "key",
            "NEXUS_S3_SECRET_KEY": "secret-key",
            "NEXUS_S3_SECURE": "false",
        }
        return subprocess.run(
            [sys.executable, "-m", "ingest", "bucket", *arguments],
            input=data,
            env=os.environ | environment,
            capture_output=True,
            check=False,
            timeout=60,
        )

    return run


def saved(client: Minio, bucket: str) -> bytes:
    out = io.BytesIO()
    bucket_archive.save(client, bucket, out, lambda _: None)
    return out.getvalue()


def restored(client: Minio, bucket: str, archive: bytes, *, delete_others: bool = False) -> Tally:
    return bucket_archive.restore(client, bucket, io.BytesIO(archive), lambda _: None, delete_others=delete_others)


def contents(client: Minio, bucket: str) -> dict[str, bytes]:
    keys = [str(found.object_name) for found in client.list_objects(bucket, recursive=True)]
    return {key: client.get_object(bucket, key).read(decode_content=False) for key in keys}


def test_all_of_a_bucket_comes_back_in_another_one(client, bucket):
    archive = saved(client, bucket)
    done = restored(client, f"{bucket}-copy", archive)
    assert (done.objects, done.unchanged) == (len(KEYS) + 1, 0)
    assert contents(client, f"{bucket}-copy") == contents(client, bucket)
    for key in (*KEYS, "packed"):
        before, after = (client.stat_object(one, key) for one in (bucket, f"{bucket}-copy"))
        assert (after.content_type, after.etag) == (before.content_type, before.etag)
        for header in ("x-amz-meta-by", "content-encoding"):
            assert after.metadata.get(header) == before.metadata.get(header)


def test_restoring_again_writes_nothing_and_what_differs_is_put_back(client, bucket):
    archive = saved(client, bucket)
    assert restored(client, bucket, archive).unchanged == len(KEYS) + 1
    client.put_object(bucket, "acme/default/guide.md", io.BytesIO(b"# Other"), 7)
    client.remove_object(bucket, "packed")
    assert restored(client, bucket, archive).unchanged == len(KEYS) - 1
    assert contents(client, bucket)["acme/default/guide.md"] == b"# Guide"


def test_others_stay_unless_they_are_to_go(client, bucket):
    archive = saved(client, bucket)
    client.put_object(bucket, "younger", io.BytesIO(b"x"), 1)
    assert restored(client, bucket, archive).deleted == 0
    assert restored(client, bucket, archive, delete_others=True).deleted == 1
    assert "younger" not in contents(client, bucket)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_an_archive_that_was_cut_short_is_refused_and_nothing_is_deleted(client, bucket, share):
    archive = saved(client, bucket).rstrip(b"\0")
    client.put_object(bucket, "younger", io.BytesIO(b"x"), 1)
    with pytest.raises(BrokenArchive, match="not whole"):
        restored(client, bucket, archive[: int(len(archive) * share)], delete_others=True)
    assert "younger" in contents(client, bucket)


def test_bytes_that_changed_are_noticed(client, bucket):
    archive = saved(client, bucket).replace(b"# Guide", b"# Guile")
    client.remove_object(bucket, "acme/default/guide.md")
    with pytest.raises(BrokenArchive, match="guide"):
        restored(client, bucket, archive)


def test_any_other_tar_is_refused(client, bucket):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("something/else"), io.BytesIO())
    with pytest.raises(BrokenArchive, match="not an archive of a bucket"):
        restored(client, bucket, out.getvalue())


def test_it_goes_through_pipes_and_files(command, client, bucket, tmp_path):
    piped = command("save", bucket)
    assert piped.returncode == 0, piped.stderr
    assert b"6 objects" in piped.stderr
    file = tmp_path / "bucket.tar"
    assert command("save", bucket, str(file)).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["bucket.tar"]
    client.remove_object(bucket, "packed")
    back = command("restore", bucket, "--delete-others", data=piped.stdout)
    assert (back.returncode, b"5 of them were there already" in back.stderr) == (0, True), back.stderr
    assert command("restore", bucket, str(file)).returncode == 0


def test_what_fails_is_one_line(command, tmp_path):
    nowhere = str(tmp_path / "none" / "bucket.tar")
    for arguments, says in (
        (["save", "no-such-bucket"], "The object store refused: NoSuchBucket."),
        (["save", "no-such-bucket", nowhere], nowhere),
        (["restore", "new-bucket", nowhere], nowhere),
    ):
        failed = command(*arguments)
        assert failed.returncode == 1
        assert says in failed.stderr.decode()
        assert len(failed.stderr.splitlines()) == 1
