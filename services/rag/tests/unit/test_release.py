"""What makes a release."""

import pytest
import yaml
from pydantic import ValidationError
from rag.ports import Served
from rag.release import ReleaseFileBroken, load_release
from rag.settings import Settings

MODELS = Served("reader", "embedder")


def test_the_same_parts_give_the_same_id(release):
    assert release.id_with(MODELS) == release.model_copy(deep=True).id_with(Served("reader", "embedder"))
    assert release.id_with(MODELS).startswith("rel_")
    assert len(release.id_with(MODELS)) == 16


def test_another_reader_embedder_prompt_or_retrieval_is_another_release(release):
    prompt = release.model_copy(update={"prompt": release.prompt.model_copy(update={"instructions": "Rhyme."})})
    fewer = release.model_copy(update={"retrieval": release.retrieval.model_copy(update={"passages": 3})})
    ids = [
        release.id_with(MODELS),
        release.id_with(Served("other", "embedder")),
        release.id_with(Served("reader", "other")),
        prompt.id_with(MODELS),
        fewer.id_with(MODELS),
    ]
    assert len(set(ids)) == len(ids)


def broken(tmp_path, release, change):
    content = release.model_dump(mode="json")
    change(content)
    file = tmp_path / "release.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(ReleaseFileBroken) as caught:
        load_release(file)
    return str(caught.value)


def test_an_unknown_setting_stops_the_start_and_is_named(tmp_path, release):
    assert "retrieval.dens_weight" in broken(
        tmp_path, release, lambda content: content["retrieval"].update(dens_weight=1)
    )


def test_a_missing_setting_is_named(tmp_path, release):
    assert "prompt.wording.empty" in broken(
        tmp_path, release, lambda content: content["prompt"]["wording"].pop("empty")
    )


def test_a_value_out_of_range_is_named(tmp_path, release):
    assert "dense_weight" in broken(tmp_path, release, lambda content: content["retrieval"].update(dense_weight=1.5))


@pytest.mark.parametrize("content", ["[", "", "- 1", "version: 2"])
def test_a_file_that_is_no_release_is_refused_in_one_line(tmp_path, content):
    file = tmp_path / "release.yaml"
    file.write_text(content)
    with pytest.raises(ReleaseFileBroken):
        load_release(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ReleaseFileBroken, match=r"nowhere\.yaml"):
        load_release(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("nothing", ["", " "])
def test_an_engine_set_to_nothing_is_the_default_one(nothing):
    assert Settings.model_validate({"internal_token": "x" * 16, "model": nothing}).model == "extractive"


def test_an_engine_that_does_not_exist_stops_the_start_and_says_which_do():
    with pytest.raises(ValidationError, match="is none of: extractive, a GGUF file"):
        Settings.model_validate({"internal_token": "x" * 16, "model": "gpt-9"})
