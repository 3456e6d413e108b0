"""Readers opened here, to be asked apart from those that serve."""

import shutil
from pathlib import Path

from nexus_serving.embedder_model import embedder_folder
from nexus_serving.engines.contract import ReaderFailed
from nexus_serving.engines.opening import Reader
from nexus_serving.layout import SHIPPED_READER, Layout
from opskit.contracts.reader import READER_MODEL
from opskit.contracts.releases import ReleaseBundle


class LocalReaders:
    """Satisfies `Readers`. Releases keep their files in `releases/<id>/reader`."""

    def __init__(self, releases: Path, layout: Layout, *, shipped: Path = SHIPPED_READER) -> None:
        self._releases, self._layout, self._shipped = releases, layout, shipped

    def of_release(self, bundle: ReleaseBundle) -> Path:
        """The folder of a release's reader."""
        folder = self._shipped if bundle.reader_model == READER_MODEL else self._releases / bundle.release / "reader"
        if not (folder / "reader.json").exists():
            raise FileNotFoundError(f"The reader of {bundle.release} is not in {folder}")
        return folder

    def keep(self, bundle: ReleaseBundle, reader: Path) -> Path:
        """Copy a reader's files to the release's own folder, whole or not at all."""
        kept = self._releases / bundle.release / "reader"
        if not (kept / "reader.json").exists():
            part = kept.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(reader, part)
            part.replace(kept)
        return kept

    def open(self, folder: Path) -> Reader:
        """The reader in a folder. Raises ReaderFailed when it cannot be used."""
        # Imported here: only who asks a reader needs ONNX Runtime.
        from nexus_serving.engines.embedder import Embedder
        from nexus_serving.engines.extractive import ExtractiveReader

        try:
            return ExtractiveReader(folder, Embedder(embedder_folder(self._layout)))
        except Exception as exc:  # whatever ONNX Runtime or a tokenizer finds wrong with a file
            raise ReaderFailed(f"{type(exc).__name__}: {exc}"[:300]) from exc
