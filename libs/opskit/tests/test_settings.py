"""Settings come from NEXUS_ variables alone."""

import pytest
from opskit.settings import MilvusSettings, RedisSettings, ServiceSettings, TritonSettings
from pydantic import ValidationError


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
