"""Models elsewhere, as they are named."""

import pytest
from rag.remote_model import RemoteModel, remote_model
from rag.settings import Settings


def test_a_server_and_its_model_in_one_setting():
    assert remote_model("openai:http://127.0.0.1:11434/v1/#llama3.2:3b") == RemoteModel(
        "http://127.0.0.1:11434/v1", "llama3.2:3b"
    )


@pytest.mark.parametrize("model", ["extractive", "/models/a.gguf", "org/repo#a.gguf"])
def test_everything_else_is_tritons(model: str):
    assert remote_model(model) is None


@pytest.mark.parametrize("model", ["openai:", "openai:http://host/v1", "openai:#m", "openai:ftp://h#m", "openai:h#m"])
def test_half_a_setting_says_the_whole_form(model: str):
    with pytest.raises(ValueError, match="is not of the form openai:<base url>#<model>"):
        remote_model(model)


def test_a_password_does_not_belong_into_it():
    with pytest.raises(ValueError, match="NEXUS_MODEL_API_KEY"):
        remote_model("openai:https://me:secret@host/v1#m")


def test_server_and_model_name_the_release():
    digests = {RemoteModel(url, name).digest for url in ("http://a", "http://b") for name in ("x", "y")}
    assert len(digests) == 4


def test_the_key_is_a_secret():
    settings = Settings(internal_token="internal-token-for-tests", model_api_key="sk-very-secret")
    assert "sk-very-secret" not in repr(settings)
