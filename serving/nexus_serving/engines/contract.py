"""The reader contract as plain dataclasses: the JSON of opskit.contracts.reader, which this environment lacks."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

INVALID = "invalid request: "
FAILED = "reader failed: "


class InvalidRequest(Exception):
    """The request is not of the contract's shape."""


class ReaderFailed(Exception):
    """The reader cannot answer now; the message says why, and is shown."""


@dataclass(frozen=True)
class Passage:
    """A numbered passage; supports are character ranges of `text`."""

    number: int
    text: str
    title: str = ""
    heading: str = ""
    document: str = ""


@dataclass(frozen=True)
class ReaderRequest:
    """A question over numbered passages. An extractive reader has no use for history and prompt."""

    question: str
    passages: tuple[Passage, ...]
    max_prompt_tokens: int = 2048
    max_answer_tokens: int = 512
    abstain_below: float | None = None
    history: tuple[tuple[str, str], ...] = ()
    """Role and content of what was said before."""
    prompt: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: bytes) -> "ReaderRequest":
        """From the JSON of the contract."""
        try:
            body = json.loads(raw)
            limits = body.get("limits") or {}
            passages = tuple(map(_passage, body["passages"]))
            return cls(
                str(body["question"]),
                passages,
                int(limits.get("max_prompt_tokens", cls.max_prompt_tokens)),
                int(limits.get("max_answer_tokens", cls.max_answer_tokens)),
                None if body.get("abstain_below") is None else float(body["abstain_below"]),
                tuple((str(turn["role"]), str(turn["content"])) for turn in body.get("history") or ()),
                {str(name): str(value) for name, value in (body.get("prompt") or {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidRequest(f"not a reader request: {error!r}") from error


def _passage(body: dict[str, Any]) -> Passage:
    words = {name: str(body.get(name) or "") for name in ("title", "heading", "document")}
    return Passage(int(body["number"]), str(body["text"]), **words)


@dataclass(frozen=True)
class Support:
    """The range [start, end) of passage `passage`."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True)
class Delta:
    """A piece of the wording."""

    text: str

    def to_json(self) -> bytes:
        return _json({"event": "delta", "text": self.text})


@dataclass(frozen=True)
class Result:
    """The end of an answer."""

    answer: str
    short: str
    abstained: bool
    confidence: float
    prompt_tokens: int
    completion_tokens: int
    supports: tuple[Support, ...] = field(default=())

    def to_json(self) -> bytes:
        body = asdict(self)
        usage = {name: body.pop(name) for name in ("prompt_tokens", "completion_tokens")}
        return _json({"event": "result", **body, "usage": usage})


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
