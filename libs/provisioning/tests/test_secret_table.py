"""The table of secrets is whole: what services ask for is in it, and who is in it exists."""

import importlib
from pathlib import Path
from typing import get_args

import pytest
from provisioning.secret_table import READERS, SECRETS, Derived, Secret
from pydantic import SecretStr
from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[3]
SERVICES = sorted(folder.parent.name for folder in (ROOT / "services").glob("*/pyproject.toml"))
ROWS: dict[str, Secret] = {secret.name: secret for secret in SECRETS}
NOT_HANDED_OVER: dict[str, str] = {}
"""Secret settings that no file is made for, each with its reason."""
READ_BY_LIBRARIES = {"hf_token"}
"""No settings of ours: a variable, HF_TOKEN_PATH, tells the hub's own library where it lies."""


def secrets_of(service: str) -> set[str]:
    """The files that a service could read a secret from, by what its settings say."""
    settings: type[BaseSettings] = importlib.import_module(f"{service.replace('-', '_')}.settings").Settings
    fields = settings.model_fields.items()
    return {
        f"nexus_{name}"
        for name, field in fields
        if SecretStr in (field.annotation, *get_args(field.annotation)) or name.endswith("_database_url")
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_secret_that_a_service_asks_for_is_handed_to_it(service):
    asked = secrets_of(service) - NOT_HANDED_OVER.keys()
    assert asked, "every service has secrets: this test looks in the wrong place"
    assert {name for name in asked if name not in ROWS or service not in ROWS[name].readers} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_handed_nothing_that_it_does_not_ask_for(service):
    settings = importlib.import_module(f"{service.replace('-', '_')}.settings").Settings
    known = {f"nexus_{name}" for name in settings.model_fields} | READ_BY_LIBRARIES
    assert {secret.name for secret in SECRETS if service in secret.readers} <= known


def test_every_reader_exists():
    assert {reader for secret in SECRETS for reader in secret.readers} <= READERS.keys()
    assert set(SERVICES) <= READERS.keys()


def test_no_two_readers_of_ours_run_as_the_same_user():
    ours = [user for user in READERS.values() if 10_000 < user < 11_000]
    assert len(set(ours)) == len(ours)


def test_no_name_is_there_twice():
    assert len(ROWS) == len(SECRETS)


def test_what_derives_comes_after_what_it_derives_from():
    values: dict[str, str] = {}
    for secret in SECRETS:
        values[secret.name] = secret.origin.derive(values) if isinstance(secret.origin, Derived) else "value"
