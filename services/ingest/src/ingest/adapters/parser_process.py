"""The worker's side of parser_host: hands a document over, waits within bounds, and never trusts the answer's shape."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import structlog
from opskit.errors import Unavailable

from ingest.adapters.parser_protocol import HEADER, PROCESS_ID, TOTAL_SECONDS
from ingest.parsers.document import Unreadable
from ingest.ports import Extracted
from ingest.splitting import Chunk

log = structlog.get_logger(__name__)

STALL_SECONDS = 8.0
"""Without a sign of progress for so long, reading is given up."""
START_SECONDS = 90.0
MAX_ANSWER_BYTES = 256 * 1024 * 1024


class ParserProcess:
    """An extractor in another process. One host serves all threads: it forks for each document."""

    def __init__(self, tokenizer_file: Path, *, max_chunks: int, stall_seconds: float = STALL_SECONDS) -> None:
        if not tokenizer_file.is_file():
            raise FileNotFoundError(f"The tokenizer {tokenizer_file} is missing; set NEXUS_TOKENIZER_FILE.")
        self._arguments = [str(tokenizer_file.resolve()), str(max_chunks)]
        self._stall_seconds = stall_seconds
        self._lock = threading.Lock()
        self._host: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start the host, so that the first document does not wait for its imports."""
        with self._lock:
            self._running_host()

    def close(self) -> None:
        """End the host; children end with their documents."""
        with self._lock:
            self._stop()

    def extract(self, key: str, data: bytes) -> Extracted:
        """The document as chunks; Unreadable when the file, or reading it, is at fault."""
        with self._handed_over() as peer:
            child = _child_of(peer)
            peer.settimeout(self._stall_seconds)
            try:
                encoded = key.encode()
                peer.sendall(HEADER.pack(len(encoded), len(data)) + encoded)
                peer.sendall(data)
                answer = _answer(peer)
            except TimeoutError as exc:
                raise Unreadable("Reading the file takes too long; it may be broken or made to hang.") from exc
            except ConnectionError as exc:
                raise Unreadable("The file made its parser crash; it may be broken.") from exc
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        return _extracted(answer)

    @contextlib.contextmanager
    def _handed_over(self) -> Iterator[socket.socket]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            with self._lock:
                try:
                    socket.send_fds(self._running_host(), [b"d"], [theirs.fileno()])
                except OSError as exc:
                    self._stop()
                    raise Unavailable("The parser process went away; it is started again.") from exc
            theirs.close()
            yield ours

    def _running_host(self) -> socket.socket:
        if self._host is not None and self._host.poll() is not None:
            log.warning("parser_host_died", status=self._host.returncode)
            self._stop()
        if self._control is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._host = subprocess.Popen(
                    [sys.executable, "-m", "ingest.adapters.parser_host", str(theirs.fileno()), *self._arguments],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                )
            self._control = ours
        return self._control

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._host is not None:
            try:
                self._host.wait(2)
            except subprocess.TimeoutExpired:
                self._host.kill()
                self._host.wait()
        self._host = self._control = None


def _environment() -> dict[str, str]:
    """What the host needs and no more: no token or password is near an untrusted file."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "TOKENIZERS_PARALLELISM": "false", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _child_of(peer: socket.socket) -> int:
    peer.settimeout(START_SECONDS)
    try:
        sent = peer.recv(PROCESS_ID.size, socket.MSG_WAITALL)
    except OSError as exc:
        raise Unavailable("The parser process does not answer.") from exc
    if len(sent) < PROCESS_ID.size:
        raise Unavailable("The parser process went away; it is started again.")
    return int(PROCESS_ID.unpack(sent)[0])


def _answer(peer: socket.socket) -> bytes:
    """Everything up to the end, without the dots. A dot buys time, but not for ever."""
    deadline = time.monotonic() + TOTAL_SECONDS
    answer = bytearray()
    while piece := peer.recv(1 << 20):
        answer += piece if answer else piece.lstrip(b".")
        if time.monotonic() > deadline:
            raise TimeoutError
        if len(answer) > MAX_ANSWER_BYTES:
            raise Unreadable("The document's text is too long.")
    if not answer:
        raise ConnectionResetError
    return bytes(answer)


def _extracted(answer: bytes) -> Extracted:
    try:
        message = json.loads(answer)
    except ValueError as exc:  # cut off in the middle
        raise Unreadable("The file made its parser crash; it may be broken.") from exc
    if "unreadable" in message:
        raise Unreadable(message["unreadable"])
    return Extracted(title=message["title"], chunks=[Chunk(*row) for row in message["chunks"]])
