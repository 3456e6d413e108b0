"""What must be true of this machine before anything starts. Each refusal is one line that says what to do."""

import os
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

from embedded.errors import CannotStart
from embedded.processes import Part
from embedded.stack import HOST, Stack

_GIB: Final = 1024**3
NEEDED_BYTES: Final = 2 * _GIB


def check(stack: Stack, parts: Iterable[Part]) -> None:
    """Raise CannotStart with the first thing that is in the way."""
    check_disk(stack.state)
    check_programs(parts)
    check_ports(stack)


def check_disk(folder: Path, needed: int = NEEDED_BYTES) -> None:
    """Databases that run out of disk lose data; better not to begin."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CannotStart(
            f"Only {free / _GIB:.1f} GiB are free on the disk of {folder}, and {needed / _GIB:.0f} GiB are needed: "
            "free some, or set NEXUS_STATE_DIR to a folder on another disk"
        )


def check_programs(parts: Iterable[Part]) -> None:
    """Every program is there. `make up` installs them before it comes here."""
    for part in parts:
        if shutil.which(part.command[0], path=part.environment.get("PATH", os.defpath)) is None:
            raise CannotStart(f"{part.command[0]}, which runs {part.name}, is not installed: make setup installs it")


def check_ports(stack: Stack) -> None:
    """Every port is free."""
    for name, port in stack.ports.items():
        if is_taken(port):
            raise CannotStart(
                f"Port {port} ({name}) is taken{_by_whom(port)}: stop that, "
                "or choose other ports with NEXUS_PORT_OFFSET=1000 make up"
            )


def is_taken(port: int) -> bool:
    """Does somebody listen there? A port that was just given back is free, as servers see it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _by_whom(port: int) -> str:
    """The holder's name, where this user may see it."""
    try:
        for connection in psutil.net_connections("tcp"):
            # An unconnected socket has an empty address.
            listens_there = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens_there and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return ""
    return ""
