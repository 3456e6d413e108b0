"""A document in three steps that may each be repeated, cut off or overtaken."""

from datetime import timedelta

import pytest
from ingest.dead_letters import DeadLetters
from ingest.dispatch import dispatch
from ingest.documents import Documents
from ingest.keys import DocumentName
from ingest.pipeline import MAX_ATTEMPTS
from ingest.steps import HANDOVER, Busy, HandedOver, NoQueue, Steps

OLD = b"# Guide\n\n## One\n\nThe interval is 120 seconds.\n"
NEW = b"# Guide\n\n## One\n\nThe interval is 90 seconds.\n"


@pytest.fixture
def steps(stack) -> Steps:
    documents = Documents(stack.store, stack.catalogue, stack.claims, NoQueue())
    return Steps(documents, stack.claims, stack.pipeline, stack.clock)


def loaded(steps: Steps, name: DocumentName) -> HandedOver:
    handed = steps.load(name)
    assert isinstance(handed, HandedOver), handed
    return handed


def index(steps: Steps, name: DocumentName) -> object:
    handed = loaded(steps, name)
    return steps.write(handed, steps.embed(handed))


def test_what_is_in_the_bucket_becomes_searchable(stack, steps, name):
    stack.store.put(name, OLD)
    assert index(steps, name) == "indexed"
    assert stack.status(name) == "indexed"
    assert ["120 seconds" in text for text in stack.index.texts(name)] == [True]


def test_what_is_indexed_already_is_nothing_to_do(stack, steps, name):
    stack.store.put(name, OLD)
    index(steps, name)
    assert steps.load(name) == "nothing"


def test_the_same_bytes_under_a_new_etag_cost_nothing(stack, steps, name):
    stack.store.put(name, OLD)
    index(steps, name)
    stack.catalogue.wish(name, "another etag", None)
    assert steps.load(name) == "unchanged"


def test_the_old_generation_serves_until_the_last_step(stack, steps, name):
    stack.store.put(name, OLD)
    index(steps, name)
    stack.store.put(name, NEW)
    handed = loaded(steps, name)
    vectors = steps.embed(handed)
    assert "120 seconds" in stack.index.texts(name)[0]
    assert steps.write(handed, vectors) == "indexed"
    assert "90 seconds" in stack.index.texts(name)[0]
    assert len(stack.index.rows) == 1


def test_vectors_from_before_are_not_made_again(stack, steps, name):
    stack.store.put(name, OLD)
    handed = loaded(steps, name)
    first = steps.embed(handed)
    stack.embedder.asked.clear()
    assert (steps.embed(handed) == first).all()
    assert stack.embedder.asked == []


def test_a_document_that_is_gone_is_removed(stack, steps, name):
    stack.store.put(name, OLD)
    index(steps, name)
    stack.store.delete(name)
    assert steps.settle(name) == "removed"
    assert stack.index.rows == {}
    assert steps.settle(name) == "nothing"


def test_an_event_of_a_document_that_is_gone_meanwhile_removes_it(stack, steps, name):
    stack.store.put(name, OLD)
    index(steps, name)
    stack.store.delete(name)
    assert steps.load(name) == "removed"


def test_a_removal_that_comes_too_late_indexes_what_is_there_again(stack, steps, name):
    stack.store.put(name, OLD)
    assert steps.settle(name) == "indexed"


class TestWhoWorksOnIt:
    @pytest.fixture(autouse=True)
    def stored(self, stack, name):
        stack.store.put(name, OLD)

    def test_a_worker_finds_nothing_to_do_between_two_steps(self, stack, steps, name):
        handed = loaded(steps, name)
        stack.clock.forward(minutes=9)
        dispatch(stack.claims, stack.queue)
        stack.queue.submit(name.id)
        assert stack.work() == []
        assert steps.write(handed, steps.embed(handed)) == "indexed"

    def test_a_second_workflow_waits_for_the_first(self, stack, steps, name):
        handed = loaded(steps, name)
        assert steps.load(name) == Busy()
        steps.write(handed, steps.embed(handed))
        assert steps.load(name) == "nothing"

    def test_a_workflow_that_never_goes_on_leaves_the_document_to_a_worker(self, stack, steps, name):
        loaded(steps, name)
        stack.clock.forward(seconds=HANDOVER.total_seconds() + 10)
        dispatch(stack.claims, stack.queue)
        assert stack.work() == ["indexed"]

    def test_a_step_that_comes_late_takes_the_document_again(self, stack, steps, name):
        handed = loaded(steps, name)
        stack.clock.forward(seconds=HANDOVER.total_seconds() + 10)
        stack.claims.take_back_silent()
        assert steps.write(handed, steps.embed(handed)) == "indexed"

    def test_a_step_that_comes_later_than_a_worker_changes_nothing(self, stack, steps, name):
        handed = loaded(steps, name)
        vectors = steps.embed(handed)
        stack.clock.forward(seconds=HANDOVER.total_seconds() + 10)
        dispatch(stack.claims, stack.queue)
        stack.work()
        generation = stack.documents.get(name).indexed_generation
        assert steps.write(handed, vectors) == "nothing"
        assert stack.documents.get(name).indexed_generation == generation

    def test_the_last_step_repeated_changes_nothing(self, stack, steps, name):
        handed = loaded(steps, name)
        vectors = steps.embed(handed)
        assert [steps.write(handed, vectors) for _ in range(2)] == ["indexed", "nothing"]

    @pytest.mark.parametrize("step", ["embed", "write"])
    def test_a_newer_version_makes_the_steps_void_and_is_indexed_itself(self, stack, steps, name, step):
        handed = loaded(steps, name)
        vectors = steps.embed(handed)
        stack.store.put(name, NEW)
        stack.catalogue.wish(name, stack.store.etag(name), None)
        assert (steps.embed(handed) if step == "embed" else steps.write(handed, vectors)) == "superseded"
        assert index(steps, name) == "indexed"
        assert "90 seconds" in stack.index.texts(name)[0]


class TestWhatGoesWrong:
    @pytest.fixture(autouse=True)
    def stored(self, stack, name):
        stack.store.put(name, OLD)

    def test_a_bad_document_is_a_dead_letter_and_the_old_one_serves(self, stack, steps, name, engine):
        index(steps, name)
        stack.store.put(name, b"\0")
        assert steps.load(name) == "failed"
        assert [letter.key for letter in DeadLetters(engine).all()] == [name.key]
        assert "120 seconds" in stack.index.texts(name)[0]

    def test_what_is_away_is_waited_for_in_every_step(self, stack, steps, name):
        stack.embedder.away = True
        assert steps.load(name) == "waiting"
        stack.embedder.away = False
        stack.clock.forward(seconds=10)
        handed = loaded(steps, name)
        stack.embedder.away = True
        assert steps.embed(handed) == "waiting"
        assert steps.embed(handed) == Busy(), "it has to wait a little"
        stack.embedder.away = False
        stack.clock.forward(seconds=10)
        vectors = steps.embed(handed)
        stack.index.away = True
        assert steps.write(handed, vectors) == "waiting"
        stack.index.away = False
        stack.clock.forward(seconds=10)
        assert steps.write(handed, vectors) == "indexed"

    def test_a_surprise_is_tried_three_times_and_becomes_a_dead_letter(self, stack, steps, name, engine):
        handed = loaded(steps, name)
        stack.embedder.broken = True
        outcomes = []
        for _ in range(MAX_ATTEMPTS):
            outcomes.append(steps.embed(handed))
            stack.clock.now += timedelta(minutes=2)
        assert outcomes == ["retrying"] * (MAX_ATTEMPTS - 1) + ["failed"]
        assert len(DeadLetters(engine).all()) == 1

    def test_vectors_of_another_document_are_not_indexed(self, stack, steps, name):
        handed = loaded(steps, name)
        vectors = steps.embed(handed)
        assert steps.write(handed, vectors[:0]) == "retrying"
        assert stack.index.rows == {}

    def test_vectors_of_an_embedder_that_was_replaced_are_not_indexed(self, stack, steps, name):
        handed = loaded(steps, name)
        vectors = steps.embed(handed)
        stack.embedder.name = "b" * 64
        assert steps.write(handed, vectors) == "superseded"
        assert index(steps, name) == "indexed"
        assert {row["fingerprint"] for row in stack.index.rows.values()} == {"b" * 64}
