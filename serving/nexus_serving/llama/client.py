"""Speaking to a llama.cpp server: the standard library's HTTP, because Triton's Python has no other."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from grounding.chat_stream import Chunk, StreamBroken, error_message, parse_line
from grounding.messages import Message

from nexus_serving.llama.process import Address

LOOK_AGAIN_SECONDS = 0.05
"""How soon it is noticed that nobody waits for an answer any more."""
SILENCE_SECONDS = 300.0
"""A server that says nothing for so long hangs: even a long prompt on a slow machine is read by then."""
_MADE_OF_TURNS = {"enable_thinking": False}
"""Thinking aloud costs a small machine minutes, and the passages are there to be read."""


class ServerGone(Exception):
    """The server broke off, or does not answer."""


def count_tokens(address: Address, messages: list[Message]) -> int:
    """Tokens of a conversation in the model's own template. Raises ServerGone and StreamBroken."""
    body = {"messages": messages, "chat_template_kwargs": _MADE_OF_TURNS}
    prompt = _asked(address, "/apply-template", body)["prompt"]
    return len(_asked(address, "/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"])


def chat(address: Address, messages: list[Message], max_tokens: int, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
    """The chunks of an answer, as likely a one as the model has; ends early when cancelled, and so does the work.

    Raises:
        ServerGone: the server broke off.
        StreamBroken: it refused, with its reason.
    """
    body = {
        "messages": messages,
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
        "chat_template_kwargs": _MADE_OF_TURNS,
    }
    connection = http.client.HTTPConnection(address.host, address.port, timeout=SILENCE_SECONDS)
    done = threading.Event()
    try:
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_hang_up_when, args=(cancelled, connection.sock, done), daemon=True).start()
        response = _sent(connection, address, "/v1/chat/completions", body)
        for line in response:
            if (chunk := parse_line(line.decode().rstrip("\r\n"))) is not None:
                yield chunk
    except (OSError, http.client.HTTPException) as error:
        if not cancelled():
            raise ServerGone(repr(error)) from error
    finally:
        done.set()
        connection.close()


def _hang_up_when(cancelled: Callable[[], bool], connection: socket.socket, done: threading.Event) -> None:
    """llama.cpp stops an answer when its connection is closed; a thread that reads from it notices as well."""
    while not done.wait(LOOK_AGAIN_SECONDS):
        if cancelled():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has just ended by itself
                return
            return


def _asked(address: Address, path: str, body: dict[str, Any]) -> Any:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=SILENCE_SECONDS)
    try:
        return json.loads(_sent(connection, address, path, body).read())
    except (OSError, http.client.HTTPException) as error:
        raise ServerGone(repr(error)) from error
    finally:
        connection.close()


def _sent(
    connection: http.client.HTTPConnection, address: Address, path: str, body: dict[str, Any]
) -> http.client.HTTPResponse:
    headers = {"Authorization": f"Bearer {address.key}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body).encode(), headers)
    response = connection.getresponse()
    if response.status != http.client.OK:
        raise StreamBroken(error_message(response.read().decode(errors="replace")))
    return response
