"""Stepping back for others at the embedder."""

from ingest.yielding import WINDOW_SECONDS, OthersAtWork


def test_our_own_requests_are_not_others():
    others = OthersAtWork()
    assert not any(others.note(total=100 + n, own=n, now=n * 0.25) for n in range(40))


def test_an_answer_that_is_not_counted_yet_is_not_others():
    others = OthersAtWork()
    assert not any(others.note(total=100 + n + n % 2, own=n, now=n * 0.25) for n in range(40))


def test_a_client_that_asks_every_second_is_noticed_and_forgotten_when_it_stops():
    others = OthersAtWork()
    assert [others.note(total=total, own=0, now=now) for now, total in ((0, 5), (1, 6), (2, 7))] == [False, False, True]
    assert not others.note(total=7, own=0, now=2 + 2 * WINDOW_SECONDS)


def test_a_server_that_started_anew_begins_at_nothing():
    others = OthersAtWork()
    others.note(total=5000, own=10, now=0)
    assert not others.note(total=3, own=12, now=1)
    assert others.note(total=20, own=12, now=1.5)
