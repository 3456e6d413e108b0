"""Readers opened here, to be asked apart from those that serve."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nexus_serving.embedder_model import embedder_folder
from nexus_serving.engines.contract import ReaderFailed
from nexus_serving.engines.opening import Reader
from nexus_serving.layout import SHIPPED_READER, Layout, SetUpFailed
from nexus_serving.llama.environment import llama_python
from nexus_serving.llama.files import available_memory, serving
from nexus_serving.llama.folder import OfLanguageModel, bare_model, read_folder, write_folder
from opskit.contracts.reader import READER_MODEL
from opskit.contracts.releases import LLAMA, ReleaseBundle

from trainer.improvement.evaluating import Question, request_of

if TYPE_CHECKING:
    from nexus_serving.engines.extractive import ExtractiveReader


class LocalReaders:
    """Satisfies `Readers`. Releases keep their files in `releases/<id>/reader`."""

    def __init__(self, releases: Path, layout: Layout, *, shipped: Path = SHIPPED_READER) -> None:
        self._releases, self._layout, self._shipped = releases, layout, shipped

    def of_release(self, bundle: ReleaseBundle) -> Path:
        """The folder of a release's reader."""
        if bundle.reader_model != READER_MODEL:
            folder = self._releases / bundle.release / "reader"
        else:
            folder = self._bare(bundle) if bundle.engine == LLAMA else self._shipped
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
        """The reader in a folder; of a language model, its server is a process of ours until the reader is closed.
        Raises ReaderFailed when it cannot be used."""
        about = read_folder(folder)
        return self._extractive(folder) if about is None else self._generative(about)

    def boldness(self, folder: Path, questions: Sequence[Question]) -> list[float]:
        """The score of an extractive reader's best answer to each question. Raises ReaderFailed."""
        # Imported here, as below: only who asks a reader needs ONNX Runtime.
        from nexus_serving.engines.extractive import NOTHING_THERE

        reader = self._extractive(folder)
        try:
            drafts = [reader.draft(request_of(one)) for one in questions]
        finally:
            reader.close()
        return [NOTHING_THERE if draft is None else draft.score for draft in drafts]

    def base_model(self, folder: Path) -> Path:
        """The GGUF that the language model in a folder is made of. Raises ReaderFailed."""
        if (about := read_folder(folder)) is None:
            raise ReaderFailed(f"{folder} holds no language model")
        try:
            return about.base(self._layout)
        except SetUpFailed as exc:
            raise ReaderFailed(str(exc)) from exc

    def _extractive(self, folder: Path) -> "ExtractiveReader":
        # Imported here: only who asks a reader needs ONNX Runtime.
        from nexus_serving.engines.embedder import Embedder
        from nexus_serving.engines.extractive import ExtractiveReader

        try:
            return ExtractiveReader(folder, Embedder(embedder_folder(self._layout)))
        except Exception as exc:  # whatever ONNX Runtime or a tokenizer finds wrong with a file
            raise ReaderFailed(f"{type(exc).__name__}: {exc}"[:300]) from exc

    def _generative(self, about: OfLanguageModel) -> Reader:
        from nexus_serving.llama.process import LlamaServer
        from nexus_serving.llama.reader import GenerativeReader

        try:
            path, python = about.base(self._layout), llama_python(self._layout)
            # One question at a time is asked here, beside what serves: no more memory than that takes.
            layout = replace(self._layout, model_context=about.context, model_slots=1)
            how = replace(serving(path, layout, available=available_memory()), adapter=str(about.adapter or ""))
        except SetUpFailed as exc:
            raise ReaderFailed(str(exc)) from exc
        return GenerativeReader(LlamaServer(python, how))

    def _bare(self, bundle: ReleaseBundle) -> Path:
        """A folder about the language model that the platform starts with: it is served from where it lies."""
        try:
            about = bare_model(self._layout, str(json.loads((self._shipped / "reader.json").read_text())["digest"]))
        except SetUpFailed as exc:
            raise FileNotFoundError(f"The reader of {bundle.release}: {exc}") from exc
        if about.digest != bundle.reader_digest:
            raise FileNotFoundError(f"The reader of {bundle.release} is another than NEXUS_MODEL={self._layout.model}")
        folder = self._releases / "started-with" / about.digest[:12]
        write_folder(folder, about)
        return folder
