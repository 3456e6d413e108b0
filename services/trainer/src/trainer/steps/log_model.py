"""log-model: the candidate becomes a release, with its files kept and a version in MLflow's registry."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from opskit.contracts.reader import READER_MODEL
from opskit.contracts.releases import ReleaseBundle, release_id
from opskit.errors import Unavailable

from trainer.improvement.releases import Release, State, own_model
from trainer.improvement.runs import Run
from trainer.ports import Readers
from trainer.registering import reader_of
from trainer.steps.log_model_metrics import recorded
from trainer.steps.tools import Done, Say, Tools
from trainer.steps.workspace import Workspace, read_json


def log_model(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """The release is kept here first; MLflow may be away, and is told later by the worker."""
    champion = ReleaseBundle.model_validate(read_json(work.champion))
    bundle = candidate_of(work, champion)
    release = Release(bundle.release, State.CANDIDATE, bundle, run.id)
    _keep_reader(tools.readers, work, champion, bundle)
    parts = parts_of(work, champion, bundle, git_commit=tools.git_commit)
    if run.order.settings is not None:
        parts["changes"] = run.order.settings
    tools.releases.add(release, parts, now=datetime.now(UTC))
    tools.runs.name_release(run.id, bundle.release)
    try:
        names = tools.tracker.register(release, parts, reader_of(tools.readers, bundle), run=recorded(tools, run, work))
    except Unavailable as exc:
        say(f"MLflow is away ({exc.message}); the worker registers the release when it is back")
        return Done(f"{bundle.release} is kept; MLflow is away")
    return Done(f"{bundle.release} is {names['model']} version {names['version']}")


def candidate_of(work: Workspace, champion: ReleaseBundle) -> ReleaseBundle:
    """The release that the run tries."""
    if work.proposal.exists():
        return ReleaseBundle.model_validate(read_json(work.proposal))
    return bundle_of(work.candidate_reader, champion)


def bundle_of(reader: Path, champion: ReleaseBundle) -> ReleaseBundle:
    """The champion's settings with another reader."""
    digest = str(json.loads((reader / "reader.json").read_text())["digest"])
    return ReleaseBundle(
        release=release_id(digest, champion.settings, champion.embedder_fingerprint),
        reader_model=own_model(digest),
        reader_digest=digest,
        embedder_fingerprint=champion.embedder_fingerprint,
        engine=champion.engine,
        settings=champion.settings,
    )


def parts_of(work: Workspace, champion: ReleaseBundle, bundle: ReleaseBundle, *, git_commit: str) -> dict[str, object]:
    """What the release is made of, by digest. Without training there is no adapter."""
    adapter = sorted((work.model / "adapter").glob("*.safetensors"))
    return {
        "base": champion.reader_digest,
        "base_release": champion.release,
        "reader": bundle.reader_digest,
        "adapter": _digest(*adapter) if adapter else "",
        "prompt": _digest_of(bundle.settings["prompt"]),
        "retrieval": bundle.settings["retrieval"],
        "embedder": bundle.embedder_fingerprint,
        "data": _digest(work.train, work.held_out),
        "evaluation": _digest(work.verdict),
        "verdict": read_json(work.verdict),
        "git_commit": git_commit,
    }


def _keep_reader(readers: Readers, work: Workspace, champion: ReleaseBundle, bundle: ReleaseBundle) -> None:
    """Each release has a reader's files of its own, so that any of them may go without harm to another. Only with the
    reader that Triton starts with are there none to be kept."""
    if not work.proposal.exists():
        readers.keep(bundle, work.candidate_reader)
    elif bundle.reader_model != READER_MODEL:
        readers.keep(bundle, readers.of_release(champion))


def _digest(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _digest_of(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
