"""A release is what answers: versioned prompt and retrieval settings, and the id they make with the models' digests."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from opskit.contracts.releases import ReleaseBundle, release_id
from opskit.errors import InvalidRequest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from rag.ports import Served


class _Section(BaseModel):
    """A typing error in the file must stop the start, so nothing unknown is let through."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RetrievalSettings(_Section):
    """How passages are found and chosen."""

    dense_candidates: int = Field(ge=1, le=100)
    lexical_candidates: int = Field(ge=1, le=100)
    common_from: float = Field(gt=0, le=1)
    fusion: Literal["convex", "rrf"]
    dense_weight: float = Field(ge=0, le=1)
    leg_floor: float = Field(ge=0, lt=1)
    coverage_weight: float = Field(ge=0, le=10)
    similar_from: float = Field(ge=0, le=1)
    passages: int = Field(ge=1, le=50)
    passages_written: int = Field(ge=1, le=50)
    rank_weight: float = Field(ge=0, le=10)
    passages_per_document: int = Field(ge=1)


class Wording(_Section):
    """What is said when no passage is quoted."""

    abstention: str = Field(min_length=1)
    empty: str = Field(min_length=1)
    greeting: str = Field(min_length=1)
    capabilities: str = Field(min_length=1)
    thanks: str = Field(min_length=1)
    goodbye: str = Field(min_length=1)


class PromptSettings(_Section):
    """What the reader is given, and how much it may say."""

    passage_tokens: int = Field(ge=64, le=100_000)
    answer_tokens: int = Field(ge=1, le=100_000)
    history_turns: int = Field(ge=0, le=50)
    abstain_below: float | None
    hold_until_verified: bool | None
    instructions: str = Field(max_length=20_000)
    wording: Wording

    def for_reader(self) -> dict[str, str]:
        """The part a reader gets to see."""
        return {"instructions": self.instructions, "abstention": self.wording.abstention}


class ReleaseSettings(_Section):
    """The whole file."""

    version: Literal[1]
    retrieval: RetrievalSettings
    prompt: PromptSettings

    def id_with(self, served: "Served") -> str:
        """The id of these settings with these models."""
        return release_id(served.reader_digest, self.model_dump(mode="json"), served.embedder_fingerprint)

    def bundle_with(self, served: "Served") -> ReleaseBundle:
        """All that trainer needs to know of them."""
        return ReleaseBundle(
            release=self.id_with(served),
            reader_digest=served.reader_digest,
            embedder_fingerprint=served.embedder_fingerprint,
            engine=served.engine,
            settings=self.model_dump(mode="json"),
        )


class ReleaseFileBroken(Exception):
    """The release file cannot be used; the message says where it is wrong."""


def load_release(path: Path) -> ReleaseSettings:
    """Read and check a release file."""
    try:
        return ReleaseSettings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise ReleaseFileBroken(f"{path} cannot be read: {exc.strerror}") from exc
    except yaml.YAMLError as exc:
        raise ReleaseFileBroken(f"{path} is not YAML: {exc}") from exc
    except ValidationError as exc:
        place, what = _first_fault(exc)
        raise ReleaseFileBroken(f"{path}: {place or 'the file'}: {what}") from exc


def settings_of(body: dict[str, Any]) -> ReleaseSettings:
    """Settings that somebody proposes: no type is guessed at, as one may in a file. Raises InvalidRequest."""
    try:
        return ReleaseSettings.model_validate(body, strict=True)
    except ValidationError as exc:
        place, what = _first_fault(exc)
        raise InvalidRequest(f"{place or 'settings'}: {what}", param=place or None) from exc


def _first_fault(exc: ValidationError) -> tuple[str, str]:
    """Where it is, and what it is."""
    first = exc.errors(include_url=False, include_input=False)[0]
    what = "there is no such setting" if first["type"] == "extra_forbidden" else first["msg"]
    return ".".join(str(part) for part in first["loc"]), what
