"""Settings come from NEXUS_ variables and from files of secrets, and a process without them says so and ends."""

import re
import traceback

import pytest
from opskit.settings import (
    DatabaseUrl,
    MilvusSettings,
    NexusSettings,
    RedisSettings,
    ServiceSettings,
    TritonSettings,
    read_settings,
)
from pydantic import TypeAdapter, ValidationError


class Everything(RedisSettings, MilvusSettings, TritonSettings, ServiceSettings):
    """As a service combines them."""


def test_every_group_has_the_prefix(monkeypatch):
    monkeypatch.setenv("NEXUS_INTERNAL_TOKEN", "0123456789abcdef")
    monkeypatch.setenv("NEXUS_MILVUS_URL", "http://milvus:19530")
    monkeypatch.setenv("NEXUS_REDIS_URL", "redis://redis:6379/3")
    monkeypatch.setenv("NEXUS_TRITON_GRPC", "triton:8001")
    monkeypatch.setenv("MILVUS_URL", "http://wrong:1")
    settings = Everything()
    assert str(settings.milvus_url) == "http://milvus:19530/"
    assert str(settings.redis_url) == "redis://redis:6379/3"
    assert settings.triton_grpc == "triton:8001"


def test_a_missing_or_short_token_stops_the_start_without_showing_it(monkeypatch):
    monkeypatch.delenv("NEXUS_INTERNAL_TOKEN", raising=False)
    with pytest.raises(ValidationError, match="internal_token"):
        Everything()
    monkeypatch.setenv("NEXUS_INTERNAL_TOKEN", "tooshort")
    with pytest.raises(ValidationError) as refused:
        Everything()
    assert "tooshort" not in str(refused.value)


def test_secrets_do_not_show(monkeypatch):
    monkeypatch.setenv("NEXUS_INTERNAL_TOKEN", "0123456789abcdef")
    assert "0123456789abcdef" not in repr(Everything())


@pytest.fixture
def secrets(monkeypatch, tmp_path):
    for name in ("NEXUS_INTERNAL_TOKEN", "NEXUS_REDIS_URL", "NEXUS_MILVUS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NEXUS_SECRETS_DIR", str(tmp_path))
    return tmp_path


def refusal(capsys) -> list[str]:
    with pytest.raises(SystemExit) as ended:
        read_settings(Everything)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()


def test_a_secret_is_read_from_a_file_unless_a_variable_is_set(monkeypatch, secrets):
    (secrets / "nexus_internal_token").write_text("token-from-a-file\n")
    assert read_settings(Everything).internal_token.get_secret_value() == "token-from-a-file"
    monkeypatch.setenv("NEXUS_INTERNAL_TOKEN", "token-from-a-variable")
    assert read_settings(Everything).internal_token.get_secret_value() == "token-from-a-variable"


def test_each_problem_is_a_line_that_says_what_to_do_and_shows_no_value(monkeypatch, secrets, capsys):
    monkeypatch.setenv("NEXUS_REDIS_URL", "http://user:password@redis")
    assert refusal(capsys) == [
        f"NEXUS_INTERNAL_TOKEN is missing: set it, or put it into {secrets}/nexus_internal_token",
        "NEXUS_REDIS_URL: URL scheme should be 'redis' or 'rediss'",
    ]


def test_without_a_folder_of_secrets_a_missing_setting_names_where_it_would_be(monkeypatch, secrets, capsys):
    monkeypatch.setenv("NEXUS_SECRETS_DIR", str(secrets / "nowhere"))
    assert refusal(capsys) == [
        f"NEXUS_INTERNAL_TOKEN is missing: set it, or put it into {secrets}/nowhere/nexus_internal_token"
    ]


def test_an_empty_file_is_no_default(secrets, capsys):
    (secrets / "nexus_internal_token").write_text("0123456789abcdef")
    (secrets / "nexus_milvus_token").write_text("\n")
    assert refusal(capsys) == [f"{secrets}/nexus_milvus_token is empty"]


def test_a_file_that_cannot_be_read_is_said(monkeypatch, secrets, capsys):
    def refuse(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    (secrets / "nexus_internal_token").write_text("0123456789abcdef")
    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    assert refusal(capsys) == [f"{secrets}/nexus_internal_token cannot be read: Permission denied"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgres", "is no database's URL, such as postgresql+psycopg://user:password@host:5432/name"),
        ("mysql://nexus:password@db/rag", "names neither sqlite:// nor postgresql+psycopg://"),
    ],
)
def test_a_database_that_no_service_can_use_is_refused(url, reason):
    with pytest.raises(ValidationError, match=re.escape(reason)) as refused:
        TypeAdapter(DatabaseUrl, config={"hide_input_in_errors": True}).validate_python(url)
    assert "password@db" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://nexus:s3cret@db:s3cret/rag", "postgresql://nexus:s3cret/rag"])
def test_a_url_that_is_read_amiss_shows_nothing_of_its_password(monkeypatch, capsys, url):
    class OfADatabase(NexusSettings):
        database: DatabaseUrl

    monkeypatch.setenv("NEXUS_DATABASE", url)
    with pytest.raises(SystemExit):
        read_settings(OfADatabase)
    with pytest.raises(ValidationError) as refused:
        OfADatabase()
    said = capsys.readouterr().err + "".join(traceback.format_exception(refused.value))
    assert "NEXUS_DATABASE: is no database's URL" in said
    assert "s3cret" not in said


def test_a_plain_postgresql_url_gets_the_driver_there_is():
    url = TypeAdapter(DatabaseUrl).validate_python("postgresql://nexus:p%40ss@postgres:5432/rag")
    assert url == "postgresql+psycopg://nexus:p%40ss@postgres:5432/rag"
