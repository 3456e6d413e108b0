#!/usr/bin/python3
"""A stand-in for `minio server /data`: S3 by moto, with the two things that moto has not and the data loop needs.

Objects are kept in files under /data, so that they outlive the container. And a bucket that was told to (PUT
?notification) sends its events to the webhook that MINIO_CONFIG_ENV_FILE describes, one after the other, again and
again until each is taken, as MinIO does with a queue folder; what was not taken yet lies in that folder. Any key is
accepted.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, quote_plus

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

DATA = Path("/data")
BACKEND = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
OBJECTS, EVENTS = DATA / ".objects.json", DATA / ".notifications.json"
PAUSE_SECONDS = 1.0


def configuration() -> dict[str, str]:
    """The variables of MinIO's own file."""
    lines = Path(os.environ["MINIO_CONFIG_ENV_FILE"]).read_text().splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value.strip().strip("'\"") for name, _, value in pairs}


class Webhook:
    """Delivers events in order, each until it is taken."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.url = variables["MINIO_NOTIFY_WEBHOOK_ENDPOINT_NEXUS"]
        self.token = variables["MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_NEXUS"]
        self.folder = Path(variables["MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_NEXUS"])
        self.waiting: queue.Queue[Path] = queue.Queue()
        for file in sorted(self.folder.glob("*.event")):
            self.waiting.put(file)
        threading.Thread(target=self._deliver, daemon=True).start()

    def send(self, event: dict) -> None:
        file = self.folder / f"{time.time_ns()}.event"
        file.write_text(json.dumps(event))
        self.waiting.put(file)

    def _deliver(self) -> None:
        while True:
            file = self.waiting.get()
            while not self._taken(file):
                time.sleep(PAUSE_SECONDS)
            file.unlink()

    def _taken(self, file: Path) -> bool:
        headers = {"content-type": "application/json", "authorization": self.token}
        request = urllib.request.Request(self.url, file.read_bytes(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10):
                return True
        except (urllib.error.URLError, OSError) as failure:
            print(f"webhook: {failure}", flush=True)
            return False


class Kept:
    """What moto holds in memory, in files: one an object, by a digest of its key, because keys are longer than names of
    files may be."""

    def __init__(self) -> None:
        self.types: dict[str, dict[str, str]] = json.loads(OBJECTS.read_text()) if OBJECTS.exists() else {}
        self.notified = json.loads(EVENTS.read_text()) if EVENTS.exists() else {}
        for bucket, objects in self.types.items():
            BACKEND.create_bucket(bucket, "us-east-1")
            for key, kind in objects.items():
                made = BACKEND.put_object(bucket, key, self._file(bucket, key).read_bytes())
                made.set_metadata({"content-type": kind}, replace=True)

    @staticmethod
    def _file(bucket: str, key: str) -> Path:
        return DATA / bucket / sha256(key.encode()).hexdigest()

    def follow(self, bucket: str, key: str) -> None:
        """Make the file what the object is now."""
        objects, file, found = self.types[bucket], self._file(bucket, key), BACKEND.get_object(bucket, key)
        if found is None:
            objects.pop(key, None)
            self._write()
            file.unlink(missing_ok=True)
            return
        part = file.with_suffix(".part")
        part.write_bytes(found.value)
        part.replace(file)
        objects[key] = dict(found.metadata).get("content-type", "binary/octet-stream")
        self._write()

    def made(self, bucket: str) -> None:
        """A bucket is there, or was there already."""
        (DATA / bucket).mkdir(exist_ok=True)
        if bucket not in self.types:
            self.types[bucket] = {}
            self._write()

    def gone(self, bucket: str) -> list[str]:
        """Keys that are kept here and are no objects any more."""
        return [key for key in self.types[bucket] if BACKEND.get_object(bucket, key) is None]

    def _write(self) -> None:
        part = OBJECTS.with_suffix(".part")
        part.write_text(json.dumps(self.types))
        part.replace(OBJECTS)


def event(name: str, bucket: str, key: str) -> dict:
    found = BACKEND.get_object(bucket, key)
    about = {"key": quote_plus(key), "sequencer": f"{time.time_ns():X}"}
    if found is not None:
        about |= {"size": len(found.value), "eTag": str(found.etag).strip('"')}
    record = {
        "eventVersion": "2.0", "eventSource": "minio:s3", "awsRegion": "", "eventName": name,
        "eventTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "s3": {"s3SchemaVersion": "1.0", "configurationId": "Config", "object": about,
               "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}},
    }  # fmt: skip
    return {"EventName": name, "Key": f"{bucket}/{key}", "Records": [record]}


class Store:
    """The WSGI application: moto, and what is done after it."""

    def __init__(self) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.kept = Kept()
        self.webhook = Webhook(configuration())
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        bucket, _, key = path.encode("latin-1").decode().lstrip("/").partition("/")
        if path.startswith("/minio/health/"):
            start_response("200 OK", [("Content-Length", "0")])
            return [b""]
        if "notification" in parse_qs(query, keep_blank_values=True):
            return self._notification(environ, start_response, bucket)
        status: list[str] = []

        def noticed(line, headers, exc_info=None):
            status.append(line)
            return start_response(line, headers, exc_info)

        answer = list(self.moto(environ, noticed))
        if environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE") and status and status[0].startswith("2"):
            with self.lock:
                self._after(environ["REQUEST_METHOD"], bucket, key, query)
        return answer

    def _notification(self, environ, start_response, bucket):
        body = b""
        if environ["REQUEST_METHOD"] == "PUT":
            self.kept.notified[bucket] = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
            EVENTS.write_text(json.dumps(self.kept.notified))
        else:
            empty = '<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
            body = self.kept.notified.get(bucket, empty).encode()
        start_response("200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def _after(self, method: str, bucket: str, key: str, query: str) -> None:
        self.kept.made(bucket)
        if not key:  # of the bucket: it was made, or several objects were deleted at once
            for one in self.kept.gone(bucket):
                self._changed("s3:ObjectRemoved:Delete", bucket, one)
        elif method == "DELETE" and "uploadId" not in query:
            self._changed("s3:ObjectRemoved:Delete", bucket, key)
        elif method == "POST" and "uploadId" in query:
            self._changed("s3:ObjectCreated:CompleteMultipartUpload", bucket, key)
        elif method == "PUT" and "uploadId" not in query and "tagging" not in query:
            self._changed("s3:ObjectCreated:Put", bucket, key)

    def _changed(self, name: str, bucket: str, key: str) -> None:
        self.kept.follow(bucket, key)
        if "Event>" in self.kept.notified.get(bucket, ""):
            self.webhook.send(event(name, bucket, key))


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("STAND-IN for MinIO: S3 by moto, objects in files, events to the webhook.", flush=True)
run_simple("0.0.0.0", 9000, Store(), threaded=True)
