"""Adopting a release that another environment made and proved: git names it, and here it becomes the champion.

Its parts are fetched from the other environment's MLflow, and believed only where they are what the release's id says.
"""

import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from nexus_serving.digests import file_digest
from nexus_serving.llama.folder import read_folder
from nexus_serving.reader_model import true_digest
from opskit.contracts.reader import READER_MODEL
from opskit.contracts.releases import ReleaseBundle, release_id
from opskit.errors import Conflict

from trainer.deploying import Deployer
from trainer.improvement.releases import Release, State, alias_of, own_model
from trainer.ports import Readers, ReleaseStore

OWN: Final = "own"
"""Stands for no release: the model loop of the environment decides who answers."""
WHO: Final = "git"


class WrongParts(Conflict):
    """What was fetched is not the release that was asked for."""

    code = "wrong_parts"


class Registry(Protocol):
    """Where releases are published."""

    def fetch(self, release: str, into: Path) -> None:
        """A release's `bundle.json`, `release.json` and, where it has one of its own, `reader/`. Raises NotFound and
        Unavailable."""


def adopt(
    wanted: str, registry: Registry, releases: ReleaseStore, readers: Readers, deployer: Deployer, *, now: datetime
) -> str:
    """Make the release the champion; says what was done. Done already, nothing is.

    Raises:
        NotAllowed: it was refused or rolled back here, which is final.
        WrongParts, NotFound, Unavailable: see there.
    """
    if wanted == OWN:
        return "The model loop of this environment decides; nothing is adopted."
    every = releases.all()
    known = next((one for one in every if one.id == wanted and one.bundle is not None), None)
    if known is not None and alias_of(known, every) == "champion":
        return f"{wanted} is the champion already."
    if known is None:
        _bring(wanted, registry, releases, readers, now=now)
    deployer.promote(wanted, who=WHO, why="the environment's release in git", now=now)
    return f"{wanted} is the champion now."


def _bring(wanted: str, registry: Registry, releases: ReleaseStore, readers: Readers, *, now: datetime) -> None:
    with tempfile.TemporaryDirectory() as folder:
        parts = Path(folder)
        registry.fetch(wanted, parts)
        bundle = ReleaseBundle.model_validate_json((parts / "bundle.json").read_text())
        made_of = json.loads((parts / "release.json").read_text())
        if bundle.release != wanted or _id_of(bundle) != wanted:
            raise WrongParts(f"What is published as {wanted} is {_id_of(bundle)}.")
        # The name becomes a folder's, and the id does not stand for it.
        if bundle.reader_model not in (READER_MODEL, own_model(bundle.reader_digest)):
            raise WrongParts(f"The reader published with {wanted} is called {bundle.reader_model!r}.")
        if bundle.reader_model != READER_MODEL:
            _check_reader(parts / "reader", bundle)
            readers.keep(bundle, parts / "reader")
        releases.add(Release(wanted, State.CANDIDATE, bundle, None), made_of, now=now)


def _id_of(bundle: ReleaseBundle) -> str:
    return release_id(bundle.reader_digest, bundle.settings, bundle.embedder_fingerprint)


def _check_reader(reader: Path, bundle: ReleaseBundle) -> None:
    """Its files must be those that the release's id stands for. Raises WrongParts."""
    try:
        digest = _digest_of(reader)
    except (OSError, ValueError, KeyError) as exc:
        raise WrongParts(f"The reader published with {bundle.release} is not whole: {exc}") from exc
    if digest != bundle.reader_digest:
        raise WrongParts(f"The reader published with {bundle.release} is another one.")


def _digest_of(reader: Path) -> str:
    """By its files as they came. Raises OSError, ValueError, KeyError."""
    about = read_folder(reader)
    if about is None:
        return true_digest(reader)
    if about.adapter is not None and file_digest(about.adapter) != about.adapter_digest:
        raise ValueError("its adapter is damaged")
    return about.digest
