"""From wish to index: what is embedded, what serves meanwhile, and what happens when a step fails."""

import pytest
from ingest.catalogue import Catalogue
from ingest.claims import LEASE
from ingest.dead_letters import DeadLetters
from ingest.dispatch import dispatch
from ingest.keys import DocumentName
from ingest.pipeline import MAX_ATTEMPTS, MAX_LOST_ATTEMPTS


@pytest.fixture
def database(any_database):
    return any_database


def section(number: int, words: str = "text") -> str:
    return f"## Section {number}\n\n" + " ".join([f"{words}{number}"] * 100)


def handbook(*sections: str) -> bytes:
    return ("# Handbook\n\n" + "\n\n".join(sections)).encode()


OLD = handbook(*(section(n) for n in range(5)))
NEW = handbook(section(0), section(1, "changed"), *(section(n) for n in range(2, 5)))


def settle(stack, *, rounds: int = 8) -> list[str]:
    """Let time pass and do what becomes due."""
    outcomes = []
    for _ in range(rounds):
        stack.clock.forward(seconds=60)
        dispatch(stack.claims, stack.queue)
        outcomes += stack.work()
    return outcomes


def test_a_document_becomes_searchable(stack, name):
    stack.documents.put(name, OLD)
    assert stack.work() == ["indexed"]
    row = stack.documents.get(name)
    assert (row.status, row.chunks, row.title, row.error) == ("indexed", 5, "Handbook", None)
    assert len(stack.index.texts(name)) == 5


def test_only_changed_chunks_are_embedded(stack, name):
    stack.documents.put(name, OLD)
    stack.work()
    stack.embedder.asked.clear()
    stack.documents.put(name, NEW)
    stack.work()
    assert len(stack.embedder.asked) == 1
    assert "changed1" in stack.embedder.asked[0]
    assert len(stack.index.rows) == 5


def test_nothing_is_embedded_twice_not_even_after_a_delete(stack, name):
    stack.documents.put(name, OLD)
    stack.work()
    stack.documents.delete(name)
    stack.work()
    assert stack.index.rows == {}
    stack.embedder.asked.clear()
    stack.documents.put(name, OLD)
    assert stack.work() == ["indexed"]
    assert stack.embedder.asked == []


def test_a_touched_file_with_the_same_bytes_costs_nothing(stack, name):
    stack.documents.put(name, OLD)
    stack.work()
    stack.catalogue.wish(name, "another-etag-of-the-same-bytes", None)
    stack.queue.submit(name.id)
    assert stack.work() == ["unchanged"]
    assert stack.status(name) == "indexed"


class TestTheOldGenerationServesUntilTheNewOneIsWhole:
    @pytest.fixture(autouse=True)
    def indexed(self, stack, name):
        stack.documents.put(name, OLD)
        stack.work()

    def test_while_the_embedder_is_away(self, stack, name):
        stack.embedder.away = True
        stack.documents.put(name, NEW)
        assert stack.work() == ["waiting"]
        assert stack.status(name) == "queued"
        assert "embedder is away" in stack.documents.get(name).error
        assert not any("changed1" in text for text in stack.index.texts(name))
        stack.embedder.away = False
        assert "indexed" in settle(stack)
        assert any("changed1" in text for text in stack.index.texts(name))

    def test_when_the_new_version_cannot_be_read(self, stack, name):
        stack.documents.put(name, b"\0")
        assert stack.work() == ["failed"]
        row = stack.documents.get(name)
        assert row.status == "failed"
        assert row.chunks == 5
        assert len(stack.index.texts(name)) == 5

    def test_when_the_index_breaks_off_between_its_two_steps(self, stack, name):
        stack.index.fail_before_delete = True
        stack.documents.put(name, NEW)
        assert stack.work() == ["waiting"]
        texts = stack.index.texts(name)
        assert len(texts) == 5  # the newest generation, whole; the leftover of the old one is not shown
        assert sum("changed1" in text for text in texts) == 1
        stack.index.fail_before_delete = False
        settle(stack)
        assert len(stack.index.rows) == 5

    def test_when_the_vectors_are_not_numbers(self, stack, name):
        stack.embedder.broken = True
        stack.documents.put(name, NEW)
        assert stack.work() == ["retrying"]
        assert settle(stack)[-1] == "failed"
        assert not any("changed1" in text for text in stack.index.texts(name))


class TestFailures:
    def test_an_unreadable_file_fails_at_once_with_its_reason(self, stack, engine):
        broken = DocumentName("acme", "default", "a.json")
        stack.documents.put(broken, b"{")
        assert stack.work() == ["failed"]
        assert "line 1" in stack.documents.get(broken).error
        assert [letter.key for letter in DeadLetters(engine).of("acme", limit=9)] == ["a.json"]
        assert DeadLetters(engine).of("other", limit=9) == []

    def test_a_surprise_is_tried_three_times_and_becomes_a_dead_letter(self, stack, name, engine):
        def explode() -> None:
            raise RuntimeError("boom")

        stack.embedder.before = explode
        stack.documents.put(name, OLD)
        outcomes = stack.work() + settle(stack)
        assert outcomes == ["retrying"] * (MAX_ATTEMPTS - 1) + ["failed"]
        (letter,) = DeadLetters(engine).of("acme", limit=9)
        assert "boom" in letter.reason
        assert letter.attempts == MAX_ATTEMPTS

    def test_a_dependency_that_is_away_never_fails_a_document(self, stack, name):
        stack.index.away = True
        stack.documents.put(name, OLD)
        assert set(stack.work() + settle(stack, rounds=20)) == {"waiting"}
        stack.index.away = False
        assert "indexed" in settle(stack)

    def test_a_dead_letter_can_be_replayed(self, stack, name, engine):
        stack.embedder.broken = True
        stack.documents.put(name, OLD)
        stack.work()
        settle(stack)
        letters = DeadLetters(engine)
        (letter,) = letters.of("acme", limit=9)
        stack.embedder.broken = False
        assert stack.documents.replay(letters, "acme", letter.document_id).status == "queued"
        assert stack.work() == ["indexed"]
        assert letters.of("acme", limit=9) == []

    def test_a_new_version_leaves_the_dead_letters(self, stack, engine):
        broken = DocumentName("acme", "default", "a.json")
        stack.documents.put(broken, b"{")
        stack.work()
        stack.documents.put(broken, b'{"whole": true}')
        assert stack.work() == ["indexed"]
        assert DeadLetters(engine).all() == []

    def test_a_document_that_kills_its_worker_is_given_up_in_the_end(self, stack, name):
        stack.documents.put(name, OLD)
        for _ in range(MAX_LOST_ATTEMPTS):
            assert stack.claims.claim(name.id, "doomed") is not None
            stack.clock.forward(seconds=LEASE.total_seconds() + 1)
            stack.claims.take_back_silent()
        assert stack.work() == ["failed"]
        assert "the worker died" in stack.documents.get(name).error


class TestRaces:
    def test_a_newer_put_during_indexing_wins(self, stack, name):
        stack.documents.put(name, OLD)
        stack.embedder.before = lambda: stack.documents.put(name, NEW)
        assert stack.work()[0] == "superseded"
        settle(stack)
        assert stack.status(name) == "indexed"
        assert sum("changed1" in text for text in stack.index.texts(name)) == 1

    def test_a_delete_during_indexing_wins(self, stack, name):
        stack.documents.put(name, OLD)
        done = []
        stack.embedder.before = lambda: done or done.append(stack.documents.delete(name))
        stack.work()
        settle(stack)
        assert stack.status(name) == "deleted"
        assert stack.index.rows == {}

    def test_a_worker_killed_after_the_upsert_leaves_nothing_behind_when_the_document_is_deleted(self, stack, name):
        stack.documents.put(name, OLD)
        claim = stack.claims.claim(name.id, "doomed")
        extracted = stack.extractor.extract(name.key, OLD)
        vectors = stack.embedder.embed([chunk.text for chunk in extracted.chunks])
        stack.index.replace("f", name, claim.generation, extracted, vectors)  # and then kill -9
        stack.documents.delete(name)
        settle(stack)
        assert stack.index.rows == {}

    def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(self, stack, name, engine):
        stack.documents.put(name, OLD)
        assert stack.claims.claim(name.id, "doomed") is not None
        assert "indexed" in settle(stack)
        assert len(stack.index.rows) == 5
        assert Catalogue(engine).overview().by_status["indexed"] == 1

    def test_a_document_gone_from_the_store_is_removed(self, stack, name):
        stack.documents.put(name, OLD)
        stack.work()
        stack.documents.put(name, NEW)
        del stack.store.held[name]
        assert stack.work() == ["removed"]
        settle(stack)
        assert stack.status(name) == "deleted"
        assert stack.index.rows == {}
