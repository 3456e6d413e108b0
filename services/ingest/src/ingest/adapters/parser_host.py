"""The process that reads untrusted files: `python -m ingest.adapters.parser_host CONTROL_FD TOKENIZER MAX_CHUNKS`.

It imports everything once, then forks a child for each document, so a document costs a fork and not an import, and
what a bad file does (memory, time, a crash) ends with its child. The child says, over the socket it was given: its
process id, a dot now and then while it gets on, and one JSON object.
"""

import gc
import json
import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable

from tokenizers import Tokenizer

from ingest.adapters.node_parser import StructureNodeParser
from ingest.adapters.parser_protocol import HEADER, MEMORY_GROWTH_BYTES, PROCESS_ID, TOTAL_SECONDS
from ingest.parsers.document import Unreadable
from ingest.parsers.formats import parse
from ingest.splitting import TooLong

_DOT_EVERY_SECONDS = 0.5


def main() -> None:
    """Serve until the worker goes away."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the kernel
    logging.disable(logging.CRITICAL)  # readers of broken files warn a lot, to nobody's use
    tokenizer = Tokenizer.from_file(sys.argv[2])
    # A vocabulary may come with settings to cut and pad texts: then every length would be the same.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    splitter = StructureNodeParser(tokenizer, max_chunks=int(sys.argv[3]))
    gc.collect()
    gc.freeze()
    while True:
        message, handles, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            _serve(socket.socket(fileno=handles[0]), splitter)
        os.close(handles[0])


def _serve(peer: socket.socket, splitter: StructureNodeParser) -> None:
    """The child: one document, then the end."""
    try:
        peer.sendall(PROCESS_ID.pack(os.getpid()))
        key_size, data_size = HEADER.unpack(_received(peer, HEADER.size))
        key = _received(peer, key_size).decode()
        data = _received(peer, data_size)
        _limit()
        peer.sendall(_answer(key, data, splitter, _progress_to(peer)))
    finally:
        os._exit(0)


def _limit() -> None:
    pages = int(open("/proc/self/statm").read().split()[0])  # noqa: PTH123, SIM115 - nothing else is worth an import
    ceiling = pages * resource.getpagesize() + MEMORY_GROWTH_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CPU, (TOTAL_SECONDS, TOTAL_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.alarm(TOTAL_SECONDS + 5)  # should nobody be left to end this process
    sys.setrecursionlimit(2_000)


def _answer(key: str, data: bytes, splitter: StructureNodeParser, progress: Callable[[], None]) -> bytes:
    try:
        document = parse(key, data, progress)
        chunks = splitter.chunks(document)
        rows = [(c.start, c.end, c.text, c.heading, c.page) for c in chunks]
        return json.dumps({"title": document.title, "chunks": rows}).encode()
    except Unreadable as exc:
        reason = str(exc)
    except TooLong:
        reason = f"The document is too long: it would have more than {splitter.max_chunks:,} chunks; split it up."
    except MemoryError:
        reason = f"Reading it needs more than {MEMORY_GROWTH_BYTES >> 20} MiB of memory."
    except RecursionError:
        reason = "The file is nested too deeply."
    return json.dumps({"unreadable": reason}).encode()


def _progress_to(peer: socket.socket) -> Callable[[], None]:
    last = time.monotonic()

    def progress() -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _DOT_EVERY_SECONDS:
            last = now
            peer.sendall(b".")

    return progress


def _received(peer: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = peer.recv(min(size - len(data), 1 << 20))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


if __name__ == "__main__":
    main()
