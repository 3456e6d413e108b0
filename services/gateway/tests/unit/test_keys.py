"""Keys as values."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from gateway.keys import BOOTSTRAP_ID, allows, bootstrap, digest_of, is_key_id, issue, key_id_of, opens, weakness

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def a_key():
    return issue(name="bot", tenant="acme", scopes=["chat"], now=NOW)


def test_a_key_has_256_random_bits_and_no_two_are_alike():
    secrets = {a_key().secret for _ in range(200)}
    assert len(secrets) == 200
    assert all(re.fullmatch(r"nx_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_what_is_kept_does_not_hold_the_secret():
    issued = a_key()
    assert issued.secret not in repr(issued.record)
    assert issued.secret[16:] not in repr(issued.record)


def test_a_key_opens_its_own_record_and_no_other():
    one, other = a_key(), a_key()
    assert opens(one.record, one.secret)
    assert not opens(one.record, other.secret)
    assert not opens(one.record, one.secret[:-1])
    assert not opens(one.record, "")
    assert not opens(None, one.secret)
    assert not opens(None, "")


def test_a_revoked_key_opens_nothing():
    issued = a_key()
    assert not opens(replace(issued.record, revoked_at=NOW), issued.secret)


def test_the_id_is_read_from_the_key():
    issued = a_key()
    assert key_id_of(issued.secret) == issued.record.id
    assert is_key_id(issued.record.id)


@pytest.mark.parametrize("text", ["", "nx_", "nx_short", "sk-123", "nx_" + "a" * 43, "é" * 30])
def test_anything_else_can_only_be_the_bootstrap_key(text):
    assert key_id_of(text) == BOOTSTRAP_ID


def test_the_bootstrap_key_opens_its_record():
    record = bootstrap("correct-horse-battery-staple", tenant="default", now=NOW)
    assert opens(record, "correct-horse-battery-staple")
    assert record.digest == digest_of("correct-horse-battery-staple")
    assert record.scopes == {"admin"}


@pytest.mark.parametrize(
    ("held", "wanted", "enough"),
    [
        ({"chat"}, {"chat"}, True),
        ({"chat"}, {"documents"}, False),
        ({"chat"}, {"chat", "documents"}, True),
        ({"documents"}, {"chat", "documents"}, True),
        ({"admin"}, {"chat"}, True),
        ({"admin"}, set(), True),
        ({"chat", "documents"}, {"admin"}, False),
        (set(), {"chat"}, False),
        (set(), set(), False),
    ],
)
def test_scopes(held, wanted, enough):
    assert allows(held, wanted) is enough


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "short",
        "x" * 23,
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabcabcabc",
        "with space in it 1234567890",
        "ключ" * 8,
    ],
)
def test_a_weak_bootstrap_key_is_named_weak(secret):
    assert weakness(secret)


@pytest.mark.parametrize(
    "secret", ["correct-horse-battery-staple", "0123456789abcdef01234567", pytest.param(a_key().secret, id="made here")]
)
def test_a_strong_bootstrap_key_is_taken(secret):
    assert weakness(secret) is None
