"""Become tritonserver, in the foreground, with the embedder and the reader loaded."""

import argparse
import os
import signal
import sys
from pathlib import Path

from nexus_serving.command import Listen, clear_shared_memory, installed_triton, server_command
from nexus_serving.embedder_model import embedder_folder
from nexus_serving.layout import SHIPPED_READER, Layout, SetUpFailed
from nexus_serving.more_readers import parameters_of_wanted
from nexus_serving.preparing import prepare
from nexus_serving.served_repository import model_parameters, write_repository


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http-port", type=int, default=8000)
    parser.add_argument("--grpc-port", type=int, default=8001)
    parser.add_argument("--metrics-port", type=int, default=8002)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--reader", type=Path, default=SHIPPED_READER, help="folder of the extractive reader")
    parser.add_argument(
        "--prepare", action="store_true", help="first do what prepare.py does (an image's only command)"
    )
    return parser.parse_args()


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is a command


def main() -> None:
    asked = arguments()
    # As a container's first process we would be deaf to it, and a download goes on for minutes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    listen = Listen(asked.host, asked.http_port, asked.grpc_port, asked.metrics_port)
    if taken := listen.taken():
        sys.exit(f"serving: port {taken[0]} is taken by another process; stop it, or set NEXUS_PORT_OFFSET")
    try:
        layout = Layout.from_environment()
        if asked.prepare:
            prepare(layout, say)
        triton = installed_triton(layout)
        embedder = embedder_folder(layout)
        parameters = model_parameters(layout, embedder, asked.reader.resolve())
        parameters |= parameters_of_wanted(layout, embedder, say)
        write_repository(layout.served_repository, parameters)
    except (SetUpFailed, FileNotFoundError) as failure:
        sys.exit(f"serving: {failure}" + ("" if asked.prepare else " (run serving/prepare.py)"))
    except OSError as failure:
        sys.exit(f"serving: {failure} (NEXUS_STATE_DIR names a folder that must be writable)")
    clear_shared_memory(listen)
    command = server_command(triton, layout.served_repository, listen, sorted(parameters))
    # The process becomes the server: whoever started it supervises tritonserver itself, with nothing in between.
    os.execve(command[0], command, triton.variables())


if __name__ == "__main__":
    main()
