"""The folder of a reader that shares its language model."""

from dataclasses import replace
from pathlib import Path

import pytest
from nexus_serving.choice import choice
from nexus_serving.digests import file_digest
from nexus_serving.layout import Layout, SetUpFailed
from nexus_serving.llama.folder import ADAPTER, OfLanguageModel, read_folder, write_folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def layout(tmp_path: Path, model: Path) -> Layout:
    return Layout(tmp_path / "cache", tmp_path / "state", model=str(model))


@pytest.fixture
def about(model: Path) -> OfLanguageModel:
    return OfLanguageModel(model.name, file_digest(model), 2048, "ranker")


@pytest.fixture
def folder(tmp_path: Path, about: OfLanguageModel) -> Path:
    """Of a tuned model."""
    made = tmp_path / "reader"
    made.mkdir()
    (made / ADAPTER).write_bytes(b"learnt")
    write_folder(made, about)
    return made


def test_it_is_read_as_it_was_written(folder: Path, about: OfLanguageModel):
    read = read_folder(folder)
    assert read is not None
    assert read == replace(about, adapter=folder / ADAPTER, adapter_digest=file_digest(folder / ADAPTER))


def test_the_digest_names_the_adapter_too(folder: Path, about: OfLanguageModel, tmp_path: Path):
    tuned, bare = read_folder(folder), write_folder(tmp_path / "bare", about)
    assert tuned is not None
    assert len({tuned.digest, bare.digest, replace(bare, context=1024).digest}) == 3
    (folder / ADAPTER).write_bytes(b"learnt more")
    assert write_folder(folder, about).digest != tuned.digest


def test_the_model_is_the_one_that_serves(folder: Path, layout: Layout, model: Path):
    read = read_folder(folder)
    assert read is not None
    assert read.base(layout) == model


@pytest.mark.parametrize("other", ["other.gguf", "extractive", "openai:http://localhost#m"])
def test_under_another_model_it_is_refused(folder: Path, layout: Layout, tmp_path: Path, other: str):
    (tmp_path / "other.gguf").write_bytes(b"other weights")
    named = str(tmp_path / other) if other.endswith("gguf") else other
    assert choice(named)
    read = read_folder(folder)
    assert read is not None
    with pytest.raises(SetUpFailed, match=r"it is for model\.gguf .* NEXUS_MODEL=.* is another"):
        read.base(replace(layout, model=named))


def test_a_damaged_adapter_is_refused(folder: Path, layout: Layout):
    (folder / ADAPTER).write_bytes(b"lear")
    read = read_folder(folder)
    assert read is not None
    with pytest.raises(SetUpFailed, match="is damaged"):
        read.base(layout)


def test_the_folder_of_another_engine_is_not_ours(reader_folder: Path):
    assert read_folder(reader_folder) is None
