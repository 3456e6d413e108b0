"""Models of a hub: fetched, gone on with, checked. The hub is a small server here that speaks its protocol (no real one
can be reached from tests); the client is the real huggingface_hub."""

import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

CHECKOUT = Path(__file__).resolve().parents[2]
MODEL = "acme/Tiny-GGUF#tiny.Q8_0.gguf"
PLACE = "/acme/Tiny-GGUF/resolve/main/tiny.Q8_0.gguf"


@dataclass
class Hub:
    """What the hub has, and what it was asked for. `breaks_after` bytes it hangs up once; `lies` about its content."""

    content: bytes
    breaks_after: int | None = None
    lies: bool = False
    ranges: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content + (b"?" if self.lies else b"")).hexdigest()


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub(b"GGUF" + bytes(range(256)) * 100_000)  # the client keeps what it has in pieces of 10 MB

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._head(0)

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            if self.path == PLACE:
                hub.ranges.append(wanted)
            found = re.match(r"bytes=(\d+)-", wanted)
            start = int(found[1]) if found else 0
            if not self._head(start):
                return
            if hub.breaks_after is not None:
                self.wfile.write(hub.content[start : start + hub.breaks_after])
                hub.breaks_after = None
                self.close_connection = True
                return
            self.wfile.write(hub.content[start:])

        def _head(self, start: int) -> bool:
            if self.path != PLACE:
                self.send_response(404)
                missing = "EntryNotFound" if self.path.startswith("/acme/Tiny-GGUF/") else "RepoNotFound"
                self.send_header("X-Error-Code", missing)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return False
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(hub.content) - start))
            self.send_header("ETag", f'"{hub.sha256}"')
            self.send_header("X-Repo-Commit", "c0ffee" * 6 + "c0de")
            self.send_header("Accept-Ranges", "bytes")
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(hub.content) - 1}/{len(hub.content)}")
            self.end_headers()
            return True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hub
    server.shutdown()


FETCH = """
import sys
from pathlib import Path
from nexus_serving.choice import choice
from nexus_serving.layout import Layout, SetUpFailed
from nexus_serving.llama.files import fetch
try:
    print(fetch(choice(sys.argv[2]), Layout(Path(sys.argv[1]), Path(sys.argv[1])), print))
except SetUpFailed as failure:
    sys.exit(str(failure))
"""


def fetch(hub: Hub, cache: Path, model: str = MODEL, **settings: str) -> subprocess.CompletedProcess[str]:
    # TQDM_POSITION: a bar is only shown to people otherwise, and here nobody sits at a terminal.
    client = {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(cache), "TQDM_POSITION": "-1"}
    environment = {**os.environ, **client, **settings}
    return subprocess.run(
        [sys.executable, "-c", FETCH, str(cache), model], env=environment, capture_output=True, text=True, check=False
    )


def test_a_model_is_fetched_once_with_progress(hub: Hub, tmp_path: Path):
    done = fetch(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.splitlines()[-1])
    assert path.read_bytes() == hub.content
    assert "Downloading tiny.Q8_0.gguf of acme/Tiny-GGUF" in done.stdout
    assert "100%" in done.stderr
    asked = len(hub.ranges)
    assert fetch(hub, tmp_path).stdout.strip() == str(path)
    assert len(hub.ranges) == asked == 1


def test_a_download_that_broke_off_goes_on_where_it_stopped(hub: Hub, tmp_path: Path):
    hub.breaks_after = 15_000_000
    done = fetch(hub, tmp_path)
    if done.returncode != 0:
        done = fetch(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]).read_bytes() == hub.content
    assert hub.ranges[-1] == f"bytes={10 * 1024**2}-"


def test_a_file_that_is_not_the_hubs_is_removed_and_named(hub: Hub, tmp_path: Path):
    hub.lies = True
    done = fetch(hub, tmp_path)
    assert done.returncode == 1
    assert "tiny.Q8_0.gguf arrived damaged (its SHA-256 is not the hub's) and was removed" in done.stderr
    hub.lies = False
    assert fetch(hub, tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("acme/Tiny-GGUF#other.gguf", "acme/Tiny-GGUF has no file other.gguf"),
        ("nobody/nothing#x.gguf", "The hub has no nobody/nothing#x.gguf at main, or it needs a token (set HF_TOKEN)"),
    ],
)
def test_what_the_hub_does_not_have_is_named(hub: Hub, tmp_path: Path, model: str, reason: str):
    done = fetch(hub, tmp_path, model)
    assert done.returncode == 1
    assert reason in done.stderr


def test_without_a_network_it_says_what_to_do(hub: Hub, tmp_path: Path):
    done = fetch(hub, tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("acme/Tiny-GGUF#tiny.Q8_0.gguf cannot be downloaded: the hub is not reachable")
    assert "set NEXUS_MODEL to its path" in last
