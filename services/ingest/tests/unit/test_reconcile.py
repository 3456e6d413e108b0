"""Store, catalogue and index are compared, and what differs is repaired both ways."""

import hypothesis.strategies as st
import pytest
from hypothesis import given
from ingest.keys import DocumentName
from ingest.ports import Indexed
from ingest.reconcile import Known, index_repairs, outdated, store_repairs

NAMES = [DocumentName("acme", "default", f"{letter}.md") for letter in "abcd"]
STORED = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["e1", "e2"]))


@pytest.fixture
def database(any_database):
    return any_database


def known(name, *, status="indexed", etag="e1", generation=1, chunks=2, by="m", in_index=True) -> Known:
    return Known(name, 1, status, etag, by, generation, chunks, in_index)


CATALOGUES = st.lists(
    st.builds(
        known,
        st.sampled_from(NAMES),
        status=st.sampled_from(["queued", "indexing", "indexed", "failed", "deleted"]),
        etag=st.sampled_from(["e1", "e2"]),
    ),
    unique_by=lambda entry: entry.name,
)


@given(STORED, CATALOGUES)
def test_making_every_repair_makes_the_two_agree(stored, catalogue):
    wished = {entry.name: None if entry.status == "deleted" else entry.etag for entry in catalogue}
    for name in store_repairs(stored, catalogue):
        wished[name] = stored.get(name)
    assert {name: etag for name, etag in wished.items() if etag is not None} == stored


@given(STORED, CATALOGUES)
def test_nothing_is_touched_that_agrees(stored, catalogue):
    wished = {entry.name: None if entry.status == "deleted" else entry.etag for entry in catalogue}
    assert all(wished.get(name, "unknown") != stored.get(name) for name in store_repairs(stored, catalogue))


def test_an_index_that_agrees_needs_no_repair():
    held = {NAMES[0].id: Indexed({1: 2})}
    repairs = index_repairs(held, [known(NAMES[0])])
    assert repairs.rebuild == ()
    assert repairs.orphans == ()


def test_lost_half_lost_and_doubled_documents_are_rebuilt_and_strangers_removed():
    held = {
        NAMES[1].id: Indexed({1: 1}),
        NAMES[2].id: Indexed({1: 2, 2: 1}),
        "stranger": Indexed({1: 1}),
    }
    entries = [known(name) for name in NAMES[:3]]
    repairs = index_repairs(held, entries)
    assert repairs.rebuild == tuple(entries)
    assert repairs.orphans == ("stranger",)


def test_documents_being_worked_on_are_left_alone():
    entries = [known(NAMES[0], status="indexing"), known(NAMES[1], status="failed"), known(NAMES[2], status="deleted")]
    held = {name.id: Indexed({7: 9}) for name in NAMES[:3]}
    repairs = index_repairs(held, entries)
    assert repairs.rebuild == ()
    assert repairs.orphans == ()


def test_a_removed_document_that_still_has_chunks_is_an_orphan():
    held = {NAMES[0].id: Indexed({1: 2})}
    assert index_repairs(held, [known(NAMES[0], status="deleted", in_index=False)]).orphans == (NAMES[0].id,)


def test_chunks_of_another_embedder_are_outdated():
    entries = [known(NAMES[0], by="old"), known(NAMES[1], by="new"), known(NAMES[2], by="old", status="queued")]
    assert outdated(entries, "new") == entries[:1]


class TestTheWholeRun:
    def test_a_lost_event_is_made_up_for(self, stack):
        for name in NAMES[:3]:
            stack.documents.put(name, f"# {name.key}\n\ntext of it".encode())
        stack.work()
        stack.store.held[NAMES[0]] = b"# edited\n\nby hand"
        del stack.store.held[NAMES[1]]
        stack.store.held[NAMES[3]] = b"# dropped\n\nby hand"
        assert stack.reconciler.run().noticed == 3
        stack.work()
        assert stack.index.texts(NAMES[0]) == ["by hand"]
        assert stack.index.texts(NAMES[1]) == []
        assert stack.index.texts(NAMES[3]) == ["by hand"]
        assert stack.reconciler.run().noticed == 0

    def test_a_lost_index_is_rebuilt_without_embedding_anything(self, stack):
        for name in NAMES:
            stack.documents.put(name, f"# {name.key}\n\ntext of {name.key}".encode())
        stack.work()
        before = dict(stack.index.rows)
        stack.index.rows.clear()
        stack.embedder.asked.clear()
        assert stack.reconciler.run().rebuilt == 4
        stack.work()
        assert stack.index.rows.keys() == before.keys()
        assert stack.embedder.asked == []
        assert stack.reconciler.run().rebuilt == 0

    def test_a_new_embedder_means_new_chunks(self, stack):
        stack.documents.put(NAMES[0], b"# A\n\ntext")
        stack.work()
        stack.embedder.name = "b" * 64
        assert stack.reconciler.run().rebuilt == 1
        stack.work()
        assert {row["fingerprint"] for row in stack.index.rows.values()} == {"b" * 64}

    def test_strangers_in_the_index_go(self, stack):
        stack.documents.put(NAMES[0], b"# A\n\ntext")
        stack.work()
        stack.catalogue.forget_deleted(older_than=stack.reconciler._keep_deleted)
        extracted = stack.extractor.extract("x.md", b"stranger danger")
        stack.index.replace("f", NAMES[3], 1, extracted, stack.embedder.embed(["x"]))
        assert stack.reconciler.run().orphans == 1
        assert stack.index.texts(NAMES[3]) == []
        assert len(stack.index.rows) == 1

    def test_an_index_that_is_away_does_not_stop_the_rest(self, stack):
        stack.index.away = True
        stack.store.held[NAMES[0]] = b"# A\n\ntext"
        assert stack.reconciler.run().noticed == 1

    def test_wishes_made_while_the_queue_was_away_are_queued(self, stack):
        stack.queue.away = True
        stack.documents.put(NAMES[0], b"# A\n\ntext")
        stack.queue.away = False
        assert stack.reconciler.run().queued == 1
        assert stack.work() == ["indexed"]

    def test_deleted_documents_are_forgotten_after_a_day(self, stack):
        stack.documents.put(NAMES[0], b"# A\n\ntext")
        stack.work()
        stack.documents.delete(NAMES[0])
        stack.work()
        stack.reconciler.run()
        assert stack.catalogue.find(NAMES[0]).status == "deleted"
        stack.clock.forward(hours=25)
        stack.reconciler.run()
        assert stack.catalogue.find(NAMES[0]) is None
