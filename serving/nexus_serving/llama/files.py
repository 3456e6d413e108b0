"""GGUF files: found or fetched, known by their digest, and small enough for this machine."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from nexus_serving.choice import GgufFile, HubFile
from nexus_serving.digests import file_digest
from nexus_serving.layout import Layout, SetUpFailed
from nexus_serving.llama.process import LoadFailed, Serving, check_loads
from nexus_serving.triton_environment import Report

ENGINE = "llama.cpp/1"
"""Part of a model's digest: raise it with any change of prompt or checks that changes answers."""
DEFAULT_CONTEXT = 4096
DEFAULT_SLOTS = 4
KEPT_FREE = 512 * 1024**2
"""Bytes of memory that a model leaves to everything else."""


@dataclass(frozen=True)
class About:
    """What a GGUF file says of itself, and what its context costs."""

    name: str
    architecture: str
    trained_context: int
    bytes_per_token: int
    """Of the key-value cache, with 16-bit values."""


def model_path(wanted: GgufFile | HubFile, layout: Layout) -> Path:
    """Where the file lies. Raises SetUpFailed when it is not on this machine."""
    if isinstance(wanted, GgufFile):
        if not wanted.path.is_file():
            raise SetUpFailed(f"NEXUS_MODEL names {wanted.path}, and there is no such file")
        return wanted.path
    found = _from_hub(wanted, layout, offline=True)
    if found is None:
        raise SetUpFailed(f"{wanted.repository}#{wanted.file} was not downloaded yet")
    return found


def fetch(wanted: GgufFile | HubFile, layout: Layout, report: Report) -> Path:
    """The file, downloaded when it has to be: with progress, going on where an earlier download stopped, and checked
    against the hub's digest. Raises SetUpFailed."""
    if isinstance(wanted, HubFile) and _from_hub(wanted, layout, offline=True) is None:
        report(f"Downloading {wanted.file} of {wanted.repository}")
        _from_hub(wanted, layout, offline=False)
    return model_path(wanted, layout)


def check(path: Path, layout: Layout, python: str, report: Report) -> None:
    """Load the file once, where that was not done yet. Raises SetUpFailed."""
    record = _record_of(path, layout)
    if json.loads(record.read_text()).get("loads"):
        return
    report(f"Checking {path.name}")
    try:
        check_loads(python, Serving(str(path), DEFAULT_CONTEXT, 1, 1))
    except LoadFailed as failure:
        raise SetUpFailed(f"{failure}. {_hint(str(failure))}") from failure
    record.write_text(json.dumps({**json.loads(record.read_text()), "loads": True}))


def digest(path: Path, layout: Layout) -> str:
    """SHA-256 of the content; worked out once for each file."""
    return str(json.loads(_record_of(path, layout).read_text())["sha256"])


def serving(path: Path, layout: Layout, *, available: int) -> Serving:
    """How to serve a file within `available` bytes of memory: with fewer answers at a time when it is tight.

    Raises:
        SetUpFailed: not even one answer at a time fits.
    """
    about = read_about(path)
    context = _context(path, about, layout)
    size = path.stat().st_size
    room = available - KEPT_FREE - size
    fitting = room // (context * about.bytes_per_token)
    if fitting < 1:
        needed = (size + context * about.bytes_per_token + KEPT_FREE) / 1024**3
        raise SetUpFailed(
            f"{path.name} needs {needed:.1f} GiB of memory with a context of {context} tokens, and "
            f"{available / 1024**3:.1f} GiB are free: choose a smaller model or quantization, or a smaller "
            "NEXUS_MODEL_CONTEXT"
        )
    return Serving(str(path), context, min(layout.model_slots or DEFAULT_SLOTS, fitting), layout.model_threads)


def context_of(path: Path, layout: Layout) -> int:
    """Tokens of prompt and answer that a file is served with. Raises SetUpFailed."""
    return _context(path, read_about(path), layout)


def read_about(path: Path) -> About:
    """Read a file's header. Raises SetUpFailed when it is none."""
    from gguf import GGUFReader  # here: launching without a language model must not wait for it

    try:
        fields = GGUFReader(path).fields
        architecture = str(fields["general.architecture"].contents())

        def number(name: str, default: int | None = None) -> int:
            field = fields.get(f"{architecture}.{name}")
            if field is None and default is not None:
                return default
            value = fields[f"{architecture}.{name}"].contents()
            return max(value) if isinstance(value, list) else int(value)

        heads = number("attention.head_count")
        width = number("attention.key_length", number("embedding_length") // heads)
        cached = number("attention.head_count_kv", heads) * (width + number("attention.value_length", width))
        name = str(fields["general.name"].contents()) if "general.name" in fields else path.stem
        return About(name, architecture, number("context_length"), 2 * number("block_count") * cached)
    except KeyError as error:
        raise SetUpFailed(f"{path.name} does not say its {error}: no language model that can be served") from error
    except (ValueError, IndexError, OSError) as error:
        raise SetUpFailed(
            f"{path.name} is no GGUF file that can be read, or only a part of one ({error}): download it again"
        ) from error


def available_memory() -> int:
    """Bytes that can be used without swapping: of the machine, or of the container when that has less."""
    memory = Path("/proc/meminfo").read_text()
    found = re.search(r"MemAvailable:\s+(\d+) kB", memory)
    free = int(found[1]) * 1024 if found else 0
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.exists() and used.exists() and (most := limit.read_text().strip()) != "max":
        free = min(free, int(most) - int(used.read_text()))
    return free


def _context(path: Path, about: About, layout: Layout) -> int:
    context = layout.model_context or min(DEFAULT_CONTEXT, about.trained_context)
    if context > about.trained_context:
        raise SetUpFailed(
            f"NEXUS_MODEL_CONTEXT={context} is more than {path.name} was trained for ({about.trained_context} tokens)"
        )
    return context


def _from_hub(wanted: HubFile, layout: Layout, *, offline: bool) -> Path | None:
    """The file in the hub's cache below ours; None when it is not there and we may not ask."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    whole = f"{wanted.repository}#{wanted.file}"
    try:
        found = hf_hub_download(
            wanted.repository,
            wanted.file,
            revision=wanted.revision,
            cache_dir=layout.llama / "hub",
            local_files_only=offline,
        )
    except LocalEntryNotFoundError as error:
        if offline:
            return None
        raise SetUpFailed(
            f"{whole} cannot be downloaded: the hub is not reachable ({error.__cause__ or 'no network'}). Download the "
            "file on another machine and set NEXUS_MODEL to its path, or set HF_ENDPOINT to a mirror"
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise SetUpFailed(f"The hub has no {whole} at {wanted.revision}, or it needs a token (set HF_TOKEN)") from error
    except EntryNotFoundError as error:
        raise SetUpFailed(f"{wanted.repository} has no file {wanted.file}: look at its list of files") from error
    except (HfHubHTTPError, OSError) as error:
        raise SetUpFailed(f"{whole} could not be downloaded ({error}); make up goes on where it stopped") from error
    path = Path(found)
    if not offline:
        _verify(path, wanted)
    return path


def _verify(path: Path, wanted: HubFile) -> None:
    """The hub names large files by their SHA-256, and its cache keeps them under that name."""
    named = path.resolve().name
    if re.fullmatch(r"[0-9a-f]{64}", named) and file_digest(path) != named:
        path.resolve().unlink()
        raise SetUpFailed(f"{wanted.file} arrived damaged (its SHA-256 is not the hub's) and was removed: try again")


def _record_of(path: Path, layout: Layout) -> Path:
    """What was found out about a file, for as long as it is the same file."""
    state = path.stat()
    record = layout.llama / "files" / f"{path.name}-{state.st_size}-{state.st_mtime_ns}.json"
    if not record.exists():
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps({"path": str(path), "sha256": file_digest(path)}))
    return record


def _hint(reason: str) -> str:
    if "not within the file bounds" in reason or "magic" in reason:
        return "The file is damaged or was not downloaded to its end: download it again"
    if "unknown model architecture" in reason:
        return "This llama.cpp does not know the model's architecture: choose another model"
    return "See docs/models.md for models that work"
