"""What stops the start."""

import pytest
from gateway.settings import Settings
from pydantic import ValidationError


@pytest.fixture(autouse=True)
def token(monkeypatch):
    monkeypatch.setenv("NEXUS_INTERNAL_TOKEN", "internal-token-for-tests")
    monkeypatch.delenv("NEXUS_BOOTSTRAP_KEY", raising=False)


def test_variables_are_named_after_the_fields_with_the_prefix(monkeypatch):
    monkeypatch.setenv("NEXUS_RATE_LIMIT_PER_MINUTE", "7")
    monkeypatch.setenv("NEXUS_REDIS_URL", "redis://127.0.0.1:7777/0")
    monkeypatch.setenv("NEXUS_GATEWAY_DATABASE_URL", "sqlite:///x.db")
    settings = Settings()
    assert settings.rate_limit_per_minute == 7
    assert settings.redis_url.port == 7777
    assert settings.gateway_database_url == "sqlite:///x.db"


@pytest.mark.parametrize("key", ["short", "x" * 40, ""])
def test_a_weak_bootstrap_key_stops_the_start_without_being_printed(monkeypatch, key):
    monkeypatch.setenv("NEXUS_BOOTSTRAP_KEY", key)
    with pytest.raises(ValidationError, match="NEXUS_BOOTSTRAP_KEY") as refusal:
        Settings()
    assert not key or f"'{key}'" not in str(refusal.value)


def test_a_missing_internal_token_stops_the_start(monkeypatch):
    monkeypatch.delenv("NEXUS_INTERNAL_TOKEN")
    with pytest.raises(ValidationError, match="internal_token"):
        Settings()
