"""A language model as a reader's folder: `reader.json` names the GGUF by its digest, and an adapter may lie beside it.

The model itself is never copied: releases of one model differ by some megabytes, and share the file that is served.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from nexus_serving.choice import GgufFile, HubFile, choice
from nexus_serving.digests import file_digest
from nexus_serving.layout import Layout, SetUpFailed
from nexus_serving.llama.files import ENGINE, context_of, digest, model_path

ABOUT = "reader.json"
ADAPTER = "adapter.gguf"


@dataclass(frozen=True)
class OfLanguageModel:
    """What answers: a GGUF of this SHA-256, read up to `context` tokens, with or without an adapter."""

    model: str
    """Its file's name, for people."""
    model_digest: str
    context: int
    ranker: str
    """Digest of the reader that ranks its passages: it decides what the model is shown."""
    adapter: Path | None = None
    adapter_digest: str = ""

    @property
    def digest(self) -> str:
        """Names everything that changes answers; of a bare model as it was before there were adapters."""
        parts = [ENGINE, self.model_digest, str(self.context), self.ranker]
        if self.adapter_digest:
            parts.append(self.adapter_digest)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def base(self, layout: Layout) -> Path:
        """The GGUF on this machine: the one that NEXUS_MODEL names, for it serves.

        Raises:
            SetUpFailed: NEXUS_MODEL names another model, or the adapter is not the one that was tuned.
        """
        path = _named_by(layout)
        if path is None or digest(path, layout) != self.model_digest:
            raise SetUpFailed(
                f"it is for {self.model} (SHA-256 {self.model_digest[:12]}), and NEXUS_MODEL={layout.model} is another"
            )
        if self.adapter is not None and file_digest(self.adapter) != self.adapter_digest:
            raise SetUpFailed(f"{self.adapter} is damaged: its SHA-256 is not the one in {ABOUT}")
        return path


def bare_model(layout: Layout, ranker: str) -> OfLanguageModel:
    """The model that NEXUS_MODEL names, as Triton starts with it. Raises SetUpFailed."""
    path = _named_by(layout)
    if path is None:
        raise SetUpFailed(f"NEXUS_MODEL={layout.model} names no GGUF file")
    return OfLanguageModel(path.name, digest(path, layout), context_of(path, layout), ranker)


def write_folder(folder: Path, about: OfLanguageModel) -> OfLanguageModel:
    """Write `reader.json`, for the adapter that lies in the folder or for the model alone."""
    adapter = folder / ADAPTER
    if adapter.exists():
        about = replace(about, adapter=adapter, adapter_digest=file_digest(adapter))
    body = {
        "engine": ENGINE,
        "model": about.model,
        "model_digest": about.model_digest,
        "context": about.context,
        "ranker": about.ranker,
        "adapter_digest": about.adapter_digest,
        "digest": about.digest,
    }
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{ABOUT}.part"
    part.write_text(json.dumps(body, indent=2) + "\n")
    part.replace(folder / ABOUT)
    return about


def read_folder(folder: Path) -> OfLanguageModel | None:
    """What `write_folder` wrote; None where the reader is of another engine. Raises OSError, ValueError, KeyError."""
    body = json.loads((folder / ABOUT).read_text())
    if not str(body["engine"]).startswith("llama.cpp/"):
        return None
    tuned = str(body["adapter_digest"])
    return OfLanguageModel(
        str(body["model"]),
        str(body["model_digest"]),
        int(body["context"]),
        str(body["ranker"]),
        folder / ADAPTER if tuned else None,
        tuned,
    )


def _named_by(layout: Layout) -> Path | None:
    wanted = choice(layout.model)
    return model_path(wanted, layout) if isinstance(wanted, GgufFile | HubFile) else None
