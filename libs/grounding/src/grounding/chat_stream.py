"""The events of an OpenAI-compatible chat stream (`text/event-stream`, one JSON a `data:` line)."""

import json
from dataclasses import dataclass
from typing import Any


class StreamBroken(Exception):
    """The server said something that is no chat stream, or that it failed; the message repeats what it said."""


@dataclass(frozen=True)
class Chunk:
    """A piece of the answer, why it ended (`stop`, `length`, …) where it does, and token counts where they are said."""

    text: str = ""
    finish: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def parse_line(line: str) -> Chunk | None:
    """The chunk on a line; None for a line without one (blank, comment, `[DONE]`).

    Raises:
        StreamBroken: the line is an error, or not of the format.
    """
    name, _, value = line.partition(":")
    value = value.strip()
    if name != "data" or value == "[DONE]":
        if name == "error":
            raise StreamBroken(f"the model server failed: {_message(value)}")
        return None
    try:
        body = json.loads(value)
        if "error" in body:
            raise StreamBroken(f"the model server failed: {_message(value)}")
        choice: dict[str, Any] = next(iter(body.get("choices") or []), {})
        usage = body.get("usage") or {}
        text = (choice.get("delta") or {}).get("content") or ""
        return Chunk(text, choice.get("finish_reason"), usage.get("prompt_tokens"), usage.get("completion_tokens"))
    except (ValueError, AttributeError, TypeError) as error:
        raise StreamBroken(f"the model server said what is no chat stream: {value[:200]}") from error


def error_message(body: str) -> str:
    """What an error body says, in the shape of OpenAI, FastAPI or plain text."""
    return _message(body)


def _message(body: str) -> str:
    try:
        said: Any = json.loads(body)
    except ValueError:
        return body.strip()[:300] or "nothing"
    if isinstance(said, dict):
        said = said.get("error", said.get("detail", said))
        if isinstance(said, dict):
            said = said.get("message", said)
    return str(said)[:300]
