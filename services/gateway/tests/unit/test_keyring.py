"""Keys believed for a moment."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from gateway import keyring
from gateway.errors import KeysUnavailable
from gateway.keyring import KeyRing
from gateway.keys import issue
from opskit.errors import Unauthenticated

NOW = datetime(2026, 11, 20, tzinfo=UTC)


class MemoryKeys:
    def __init__(self, *records):
        self.records = {record.id: record for record in records}
        self.asked = 0
        self.down = False

    def find(self, key_id):
        self.asked += 1
        if self.down:
            raise KeysUnavailable("down")
        return self.records.get(key_id)

    def revoke(self, key_id, at):
        self.records[key_id] = replace(self.records[key_id], revoked_at=at)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def issued():
    return issue(name="bot", tenant="acme", scopes=["chat"], now=NOW)


@pytest.fixture
def store(issued):
    return MemoryKeys(issued.record)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ring(store, clock):
    return KeyRing(store, seconds=2, clock=clock)


async def test_a_key_is_looked_up_once_in_a_while(ring, store, clock, issued):
    for _ in range(10):
        assert (await ring.authenticate(issued.secret)).tenant == "acme"
    assert store.asked == 1
    clock.now += 2.1
    await ring.authenticate(issued.secret)
    assert store.asked == 2


async def test_a_revocation_elsewhere_is_seen_when_the_memory_ends(ring, store, clock, issued):
    await ring.authenticate(issued.secret)
    store.revoke(issued.record.id, NOW)
    await ring.authenticate(issued.secret)
    clock.now += 2.1
    with pytest.raises(Unauthenticated):
        await ring.authenticate(issued.secret)


async def test_a_revocation_here_is_seen_at_once(ring, store, issued):
    await ring.authenticate(issued.secret)
    store.revoke(issued.record.id, NOW)
    ring.forget(issued.record.id)
    with pytest.raises(Unauthenticated):
        await ring.authenticate(issued.secret)


async def test_the_right_id_with_a_wrong_secret_is_a_stranger(ring, issued):
    wrong = issued.secret[:-1] + ("a" if issued.secret[-1] != "a" else "b")
    with pytest.raises(Unauthenticated):
        await ring.authenticate(wrong)


async def test_a_guesser_costs_one_lookup_for_an_id_and_bounded_memory(ring, store, monkeypatch):
    monkeypatch.setattr(keyring, "MAX_ENTRIES", 5)
    for number in range(20):
        for _ in range(2):
            with pytest.raises(Unauthenticated):
                await ring.authenticate(f"nx_{number:012x}_{'x' * 43}")
    assert store.asked == 20
    assert len(ring._entries) == 5


async def test_a_database_that_is_down_is_not_a_wrong_key(ring, store, issued):
    store.down = True
    with pytest.raises(KeysUnavailable):
        await ring.authenticate(issued.secret)
    store.down = False
    await ring.authenticate(issued.secret)
