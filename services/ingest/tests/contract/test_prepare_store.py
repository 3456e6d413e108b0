"""A new S3 server is made ready by one command, as often as one likes."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import httpx
import pytest
from ingest.adapters.s3_client import open_client
from ingest.adapters.s3_notifications import EVENTS
from ingest.adapters.s3_setup import make_bucket, subscribe, wait_until_it_answers
from ingest.adapters.s3_store import S3Store
from ingest.app import create_app
from ingest.errors import StoreRefused
from minio.notificationconfig import NotificationConfig, PrefixFilterRule, QueueConfig
from opskit.errors import Unavailable
from opskit.settings import BADLY_SET

pytestmark = pytest.mark.contract
# The server of these tests takes an ARN of AWS in its own region, and refuses MinIO's.
TARGET = "arn:aws:sqs:us-east-1:123456789012:nexus"
UNKNOWN = "arn:minio:sqs::NEXUS:webhook"
ELSEWHERE = "arn:aws:sqs:us-east-1:123456789012:other"
REFUSAL = b"<Error><Code>InvalidAccessKeyId</Code><Message>Nobody knows this key.</Message></Error>"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def client(s3_settings):
    client = open_client(s3_settings)
    client.make_bucket(s3_settings.s3_bucket)
    return client


@pytest.fixture
def prepare(s3_settings) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "NEXUS_INTERNAL_TOKEN": "an-internal-token-of-length",
            "NEXUS_STORE": "s3",
            "NEXUS_S3_ENDPOINT": s3_settings.s3_endpoint,
            "NEXUS_S3_BUCKET": s3_settings.s3_bucket,
            "NEXUS_S3_ACCESS_KEY": "key",
            "NEXUS_S3_SECRET_KEY": "secret-key",
            "NEXUS_S3_SECURE": "false",
        }
        command = [sys.executable, "-m", "ingest", "prepare-store", *arguments]
        return subprocess.run(
            command, env=os.environ | environment | settings, capture_output=True, text=True, check=False, timeout=60
        )

    return run


class TestTheCommand:
    def test_it_makes_the_bucket_and_has_it_tell_of_changes(self, prepare, s3_settings):
        for made, told in (("made", "sends"), ("is there", "already sends")):
            done = prepare(NEXUS_S3_EVENTS_TARGET=TARGET)
            assert done.returncode == 0, done.stderr
            bucket = s3_settings.s3_bucket
            assert done.stderr.splitlines()[0] == f"bucket {bucket}: {made}"
            assert done.stderr.splitlines()[-1] == f"bucket {bucket}: {told} its events to {TARGET}"
        assert open_client(s3_settings).bucket_exists(s3_settings.s3_bucket)

    def test_a_target_nobody_knows_is_a_warning_and_holds_nothing_up(self, prepare, s3_settings):
        done = prepare(NEXUS_S3_EVENTS_TARGET=UNKNOWN)
        assert done.returncode == 0
        assert done.stderr.splitlines()[-1].startswith("warning: no events will come")
        assert "InvalidArgument" in done.stderr
        assert open_client(s3_settings).bucket_exists(s3_settings.s3_bucket)

    def test_a_server_that_never_answers_is_one_clear_line(self, prepare):
        done = prepare("--wait", "1", NEXUS_S3_ENDPOINT="127.0.0.1:1")
        waiting, error = done.stderr.splitlines()
        assert done.returncode == 1
        assert waiting.startswith("waiting, at most 1 seconds: The object store cannot be reached")
        assert error.startswith("The object store cannot be reached")

    def test_a_bad_setting_is_one_clear_line_that_does_not_show_it(self, prepare):
        done = prepare(NEXUS_INTERNAL_TOKEN="tooshort")
        assert done.returncode == BADLY_SET
        assert done.stderr.startswith("NEXUS_INTERNAL_TOKEN: ")
        assert ("tooshort" in done.stderr, done.stderr.count("\n")) == (False, 1)


class TestWaiting:
    def test_a_refusal_is_not_waited_for(self, s3_settings, said):
        with RefusingServer() as endpoint:
            client = open_client(s3_settings.model_copy(update={"s3_endpoint": endpoint}))
            with pytest.raises(StoreRefused, match="InvalidAccessKeyId"):
                wait_until_it_answers(client, bucket="nexus", seconds=30, say=said.append)
        assert said == []

    def test_what_passes_is_waited_for_and_told_once(self, s3_settings, said):
        client = open_client(s3_settings.model_copy(update={"s3_endpoint": "127.0.0.1:1"}))
        with pytest.raises(Unavailable, match=r"waited for 2\.5 seconds"):
            wait_until_it_answers(client, bucket="nexus", seconds=2.5, say=said.append)
        assert len(said) == 1


class TestNotifications:
    def test_rules_of_others_stay_and_an_older_one_of_ours_goes(self, client, s3_settings, said):
        bucket = s3_settings.s3_bucket
        theirs = QueueConfig(["s3:ObjectCreated:*"], "theirs", PrefixFilterRule("logs/"), queue=ELSEWHERE)
        older = QueueConfig(["s3:ObjectCreated:Put"], "nexus-documents", queue=TARGET)
        client.set_bucket_notification(bucket, NotificationConfig(queue_config_list=[theirs, older]))
        subscribe(client, bucket, TARGET, said.append)
        rules = client.get_bucket_notification(bucket).queue_config_list
        assert [(rule.config_id, rule.queue) for rule in rules] == [("theirs", ELSEWHERE), ("nexus-documents", TARGET)]
        assert set(rules[1].events) == set(EVENTS)
        assert rules[0].prefix_filter_rule is not None

    def test_a_rule_for_a_part_of_the_bucket_is_not_enough(self, client, s3_settings, said):
        part = QueueConfig(list(EVENTS), "part", PrefixFilterRule("acme/"), queue=TARGET)
        client.set_bucket_notification(s3_settings.s3_bucket, NotificationConfig(queue_config_list=[part]))
        subscribe(client, s3_settings.s3_bucket, TARGET, said.append)
        assert len(client.get_bucket_notification(s3_settings.s3_bucket).queue_config_list) == 2

    def test_the_region_a_server_fills_in_makes_no_other_target(self, client, s3_settings, said):
        subscribe(client, s3_settings.s3_bucket, TARGET, said.append)
        subscribe(client, s3_settings.s3_bucket, "arn:aws:sqs::123456789012:nexus", said.append)
        assert "already sends" in said[-1]

    def test_that_events_do_not_come_can_be_seen(self, client, s3_settings, said):
        store = S3Store(client, s3_settings.s3_bucket, max_bytes=1000)
        with pytest.raises(Unavailable, match="reconcile"):
            store.check_notifies(TARGET)
        subscribe(client, s3_settings.s3_bucket, TARGET, said.append)
        store.check_notifies(TARGET)


async def test_readyz_notes_that_no_events_come(client, s3_settings, tmp_path, said):
    settings = s3_settings.model_copy(
        update={"s3_events_target": TARGET, "ingest_database_url": f"sqlite:///{tmp_path}/ingest.db"}
    )
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingest") as anonymous,
    ):
        assert "reconcile alone" in (await anonymous.get("/readyz")).json()["checks"]["events"]
        subscribe(client, settings.s3_bucket, TARGET, said.append)
        assert (await anonymous.get("/readyz")).json()["checks"]["events"] == "ok"


def test_a_bucket_made_twice_is_made_once(s3_settings, said):
    for _ in range(2):
        make_bucket(open_client(s3_settings), s3_settings.s3_bucket, said.append)
    assert said == [f"bucket {s3_settings.s3_bucket}: {how}" for how in ("made", "is there")]


class RefusingServer:
    """Knows nobody's key."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        threading.Thread(target=self._serve, daemon=True).start()
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        head = f"HTTP/1.1 403 Forbidden\r\ncontent-type: application/xml\r\ncontent-length: {len(REFUSAL)}\r\n"
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed: the test is over
            with connection:
                connection.recv(65536)
                connection.sendall(f"{head}connection: close\r\n\r\n".encode() + REFUSAL)
