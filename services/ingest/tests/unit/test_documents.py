"""Put, delete, notice: what is wished, and what is queued for it."""

from dataclasses import replace

import pytest
from opskit.errors import NotFound, Unavailable


@pytest.fixture
def database(any_database):
    return any_database


def test_a_put_stores_records_and_queues(stack, name):
    row = stack.documents.put(name, b"# Hi\n\nthere")
    assert row.status == "queued"
    assert stack.store.held[name] == b"# Hi\n\nthere"
    assert stack.queue.submitted == [name.id]


def test_the_same_bytes_again_cost_nothing(stack, name):
    stack.documents.put(name, b"# Hi\n\nthere")
    stack.documents.put(name, b"# Hi\n\nthere")
    assert len(stack.queue.submitted) == 1
    assert stack.work() == ["indexed"]
    assert stack.documents.put(name, b"# Hi\n\nthere").status == "indexed"
    assert stack.queue.submitted == []


def test_the_same_bytes_are_work_when_the_file_was_changed_behind_our_back(stack, name):
    stack.documents.put(name, b"one")
    stack.store.held[name] = b"two"
    stack.documents.put(name, b"one")
    assert stack.store.held[name] == b"one"


def test_the_same_bytes_of_a_failed_document_are_tried_again(stack):
    from ingest.keys import DocumentName

    broken = DocumentName("acme", "default", "a.json")
    stack.documents.put(broken, b"{")
    assert stack.work() == ["failed"]
    assert stack.documents.put(broken, b"{").status == "queued"


def test_a_put_succeeds_while_the_queue_is_away(stack, name):
    stack.queue.away = True
    assert stack.documents.put(name, b"text here").status == "queued"
    assert [due.document_id for due in stack.claims.due(10)] == [name.id]


def test_a_put_that_cannot_be_stored_records_no_wish(stack, name):
    stack.store.away = True
    with pytest.raises(Unavailable):
        stack.documents.put(name, b"text here")
    assert stack.catalogue.find(name) is None


def test_a_deleted_document_is_deleted_for_all_to_see(stack, name):
    stack.documents.put(name, b"text here")
    stack.work()
    assert stack.documents.delete(name).status == "deleted"
    assert stack.queue.urgent == [name.id]
    with pytest.raises(NotFound):
        stack.documents.content(name)
    with pytest.raises(NotFound):
        stack.documents.delete(name)
    assert stack.work() == ["removed"]
    assert stack.documents.get(name).chunks == 0
    assert stack.index.rows == {}


def test_a_document_that_is_only_in_the_store_can_be_deleted(stack, name):
    stack.documents.put(name, b"old")
    stack.documents.delete(name)
    stack.store.held[name] = b"dropped and not noticed yet"
    stack.documents.delete(name)
    assert stack.store.held == {}


def test_a_dropped_document_that_nobody_noticed_can_be_deleted(stack, name):
    stack.store.held[name] = b"dropped"
    assert stack.documents.delete(name).status == "deleted"
    assert stack.store.held == {}


def test_another_tenant_sees_nothing(stack, name):
    stack.documents.put(name, b"text here")
    with pytest.raises(NotFound):
        stack.documents.get(replace(name, tenant="other"))
    with pytest.raises(NotFound):
        stack.documents.delete(replace(name, tenant="other"))


class TestNotice:
    def test_a_dropped_file_is_wished_for(self, stack, name):
        stack.store.held[name] = b"# Dropped\n\ntext"
        assert stack.documents.notice(name)
        assert stack.work() == ["indexed"]
        assert not stack.documents.notice(name)

    def test_a_removed_file_is_removed(self, stack, name):
        stack.documents.put(name, b"text here")
        stack.work()
        del stack.store.held[name]
        assert stack.documents.notice(name)
        assert stack.status(name) == "deleted"
        assert not stack.documents.notice(name)

    def test_hints_in_any_order_end_with_the_stores_truth(self, stack, name):
        stack.documents.put(name, b"one is here")
        stack.store.held[name] = b"two is here"
        for _ in range(3):  # late, repeated, about something long past: all the same
            stack.documents.notice(name)
        stack.work()
        assert stack.index.texts(name) == ["two is here"]

    def test_a_wish_made_between_the_look_and_the_record_wins(self, stack, name):
        stack.documents.put(name, b"one is here")
        del stack.store.held[name]
        look = stack.store.etag

        def slow_look(asked):
            found = look(asked)
            stack.documents.put(asked, b"two is here")
            return found

        stack.store.etag = slow_look
        assert not stack.documents.notice(name)
        assert stack.status(name) == "queued"

    def test_an_unknown_document_that_is_not_there_is_no_news(self, stack, name):
        assert not stack.documents.notice(name)
        assert stack.catalogue.find(name) is None
