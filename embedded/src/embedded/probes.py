"""Asking a part whether it can serve. Never raises: the answer is None, or the reason why not."""

import http.client
import json
import socket
from collections.abc import Callable, Mapping
from typing import Final

from embedded.processes import Probe
from embedded.stack import HOST

TIMEOUT_SECONDS: Final = 5.0
_LONGEST_REASON: Final = 200


def trouble(probe: Probe) -> str | None:
    """None when the part can serve, else what is wrong with it, in a few words."""
    try:
        return _ASK[probe.kind](probe)
    except ConnectionRefusedError:
        return "does not listen yet"
    except (OSError, http.client.HTTPException) as problem:
        return f"does not answer ({type(problem).__name__})"


def _ask_http(probe: Probe) -> str | None:
    connection = http.client.HTTPConnection(HOST, probe.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", probe.path)
        response = connection.getresponse()
        if response.status == http.client.OK:
            return None
        return _why(response.status, response.read(4096))
    finally:
        connection.close()


def _why(status: int, body: bytes) -> str:
    """Our services say what they lack; others say nothing but the status."""
    try:
        checks = json.loads(body)["checks"]
        lacking = "; ".join(f"{name}: {verdict}" for name, verdict in checks.items() if verdict != "ok")
    except (ValueError, KeyError, TypeError, AttributeError):
        lacking = ""
    return (lacking or f"answers {status}")[:_LONGEST_REASON]


def _ask_redis(probe: Probe) -> str | None:
    with socket.create_connection((HOST, probe.port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(b"PING\r\n")
        said = connection.recv(64)
    return None if said.startswith(b"+PONG") else f"says {said.decode(errors='replace').strip()}"


def _ask_port(probe: Probe) -> str | None:
    socket.create_connection((HOST, probe.port), timeout=TIMEOUT_SECONDS).close()
    return None


_ASK: Mapping[str, Callable[[Probe], str | None]] = {"http": _ask_http, "redis": _ask_redis, "port": _ask_port}
