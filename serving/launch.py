"""Become tritonserver, in the foreground, with the embedder and the reader loaded."""

import argparse
import os
import sys
from pathlib import Path

from nexus_serving.command import Listen, clear_shared_memory, server_command, server_environment
from nexus_serving.embedder_model import embedder_folder
from nexus_serving.layout import SHIPPED_READER, Layout, SetUpFailed
from nexus_serving.more_readers import parameters_of_wanted
from nexus_serving.served_repository import model_parameters, write_repository
from nexus_serving.triton_environment import TritonEnvironment


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http-port", type=int, default=8000)
    parser.add_argument("--grpc-port", type=int, default=8001)
    parser.add_argument("--metrics-port", type=int, default=8002)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--reader", type=Path, default=SHIPPED_READER, help="folder of the extractive reader")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    listen = Listen(asked.host, asked.http_port, asked.grpc_port, asked.metrics_port)
    if taken := listen.taken():
        sys.exit(f"serving: port {taken[0]} is taken by another process; stop it, or set NEXUS_PORT_OFFSET")
    try:
        layout = Layout.from_environment()
        environment = TritonEnvironment.load(layout)
        embedder = embedder_folder(layout)
        parameters = model_parameters(layout, embedder, asked.reader.resolve())
        parameters |= parameters_of_wanted(layout, embedder, lambda line: print(line, flush=True))  # noqa: T201
    except (SetUpFailed, FileNotFoundError) as failure:
        sys.exit(f"serving: {failure} (run serving/prepare.py)")
    write_repository(layout.served_repository, parameters)
    clear_shared_memory(listen)
    command = server_command(environment, layout.served_repository, listen, sorted(parameters))
    # The process becomes the server: whoever started it supervises tritonserver itself, with nothing in between.
    os.execve(command[0], command, server_environment(environment))


if __name__ == "__main__":
    main()
