"""Leases: who works on what, and what counts when things go wrong."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from ingest.claims import LEASE
from ingest.dispatch import dispatch


@pytest.fixture
def database(any_database):
    return any_database


@pytest.fixture
def queued(stack, name):
    stack.documents.put(name, b"# One\n\ntext")
    return name


def end(stack, claim) -> bool:
    return stack.claims.indexed(claim, etag="e", sha256="s", made_by="m", chunks=1, title="t")


def test_one_of_many_deliveries_gets_the_document(stack, queued):
    assert stack.claims.claim(queued.id, "one") is not None
    assert stack.claims.claim(queued.id, "two") is None


def test_one_of_many_workers_at_once_gets_the_document(stack, queued):
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda worker: stack.claims.claim(queued.id, f"worker-{worker}"), range(16)))
    assert len([claim for claim in claims if claim is not None]) == 1


def test_a_reason_that_no_database_can_keep_is_mended(stack, queued):
    claim = stack.claims.claim(queued.id, "worker-1")
    assert stack.claims.given_up(claim, "broken\0 \ud800")
    assert stack.documents.get(queued).error == "broken ?"


def test_an_indexed_document_is_not_claimed_again(stack, queued):
    assert end(stack, stack.claims.claim(queued.id, "one"))
    assert stack.claims.claim(queued.id, "one") is None


def test_unknown_documents_are_not_claimed(stack):
    assert stack.claims.claim("nobody", "one") is None


def test_a_silent_lease_is_taken_back_and_its_late_holder_has_no_say(stack, queued):
    late = stack.claims.claim(queued.id, "one")
    stack.clock.forward(seconds=LEASE.total_seconds() + 1)
    assert stack.claims.take_back_silent() == 1
    current = stack.claims.claim(queued.id, "two")
    assert not end(stack, late)
    assert not stack.claims.is_current(late)
    assert end(stack, current)


def test_a_beating_lease_is_left_alone(stack, queued):
    claim = stack.claims.claim(queued.id, "one")
    for _ in range(5):
        stack.clock.forward(seconds=LEASE.total_seconds() / 2)
        stack.claims.beat("one", [queued.id])
        assert stack.claims.take_back_silent() == 0
    assert end(stack, claim)


def test_a_newer_wish_keeps_the_document_queued_when_the_older_work_ends(stack, queued):
    claim = stack.claims.claim(queued.id, "one")
    stack.documents.put(queued, b"# Two\n\nnewer")
    assert stack.claims.claim(queued.id, "two") is None  # its task finds the lease taken
    assert end(stack, claim)
    assert stack.status(queued) == "queued"
    assert [due.document_id for due in stack.claims.due(10)] == [queued.id]


def test_a_postponed_document_waits_for_its_time(stack, queued):
    claim = stack.claims.claim(queued.id, "one")
    stack.claims.postponed(claim, "later", until=stack.clock() + timedelta(seconds=10), counts=False)
    assert stack.claims.due(10) == []
    assert stack.claims.claim(queued.id, "one") is None
    stack.clock.forward(seconds=11)
    assert len(stack.claims.due(10)) == 1
    assert stack.claims.claim(queued.id, "one").attempts == 1


def test_what_the_queue_lost_is_due_again_after_a_while(stack, queued):
    assert stack.claims.due(10) == []
    stack.clock.forward(minutes=6)
    assert stack.claims.distrust_queue(timedelta(minutes=5)) == 1
    assert len(stack.claims.due(10)) == 1


def test_tasks_that_an_empty_queue_lost_are_sent_again_soon(stack, queued):
    stack.queue.submitted.clear()  # Redis came back without its memory
    assert dispatch(stack.claims, stack.queue) == 0
    stack.clock.forward(seconds=16)
    assert dispatch(stack.claims, stack.queue) == 1
    assert stack.queue.submitted == [queued.id]


def test_a_long_queue_is_no_lost_queue(stack, queued):
    stack.clock.forward(seconds=60)
    assert dispatch(stack.claims, stack.queue) == 0


def test_what_cannot_be_queued_stays_due(stack, queued):
    stack.claims.set_enqueued(queued.id, enqueued=False)
    stack.queue.away = True
    assert dispatch(stack.claims, stack.queue) == 0
    stack.queue.away = False
    assert dispatch(stack.claims, stack.queue) == 1


def test_a_deleted_document_is_due_only_while_the_index_may_hold_it(stack, queued):
    stack.documents.delete(queued)
    stack.claims.set_enqueued(queued.id, enqueued=False)
    assert stack.claims.due(10) == []  # nobody ever began to index it
