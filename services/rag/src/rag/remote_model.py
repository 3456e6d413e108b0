"""A language model on an OpenAI-compatible server, as `NEXUS_MODEL` names it. Pure."""

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

SCHEME = "openai:"
FORM = "openai:<base url>#<model>, for example openai:http://127.0.0.1:11434/v1#llama3.2"
ENGINE = "openai/1"
"""Part of the release id: raise it with any change of prompt or checks that changes answers."""


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """The server's base URL (with its `/v1`, where it has one) and the model's name there."""

    base_url: str
    model: str

    @property
    def digest(self) -> str:
        """Names the model in release ids. The weights behind the name are the server's affair."""
        return hashlib.sha256(f"{ENGINE}\n{self.base_url}\n{self.model}".encode()).hexdigest()


def remote_model(value: str) -> RemoteModel | None:
    """The model that a value of `NEXUS_MODEL` names; None when it names one in Triton.

    Raises:
        ValueError: it begins like a remote model, and is none.
    """
    if not value.startswith(SCHEME):
        return None
    url, mark, model = value.removeprefix(SCHEME).partition("#")
    parts = urlsplit(url)
    if not mark or not model or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"NEXUS_MODEL is not of the form {FORM}")
    if parts.username or parts.password:
        raise ValueError("NEXUS_MODEL must not hold a password: give the key in NEXUS_MODEL_API_KEY")
    return RemoteModel(url.rstrip("/"), model)
