"""When a server that fails is left alone."""

from rag.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def broken(clock: Clock) -> Breaker:
    breaker = Breaker(failures=2, seconds=10, clock=clock)
    breaker.failed()
    breaker.failed()
    return breaker


def test_a_single_failure_changes_nothing():
    breaker = Breaker(failures=2, seconds=10, clock=Clock())
    breaker.failed()
    assert breaker.wait() == 0
    assert not breaker.is_open


def test_failures_in_a_row_open_it_for_a_while():
    clock = Clock()
    breaker = broken(clock)
    assert breaker.is_open
    assert breaker.wait() == 10
    clock.now = 9
    assert breaker.wait() == 1


def test_a_success_in_between_starts_the_count_again():
    breaker = Breaker(failures=2, seconds=10, clock=Clock())
    breaker.failed()
    breaker.worked()
    breaker.failed()
    assert breaker.wait() == 0


def test_after_a_while_one_call_tries_and_the_others_still_wait():
    clock = Clock()
    breaker = broken(clock)
    clock.now = 10
    assert breaker.wait() == 0
    assert breaker.wait() > 0
    breaker.worked()
    assert breaker.wait() == 0


def test_a_try_that_fails_opens_it_again():
    clock = Clock()
    breaker = broken(clock)
    clock.now = 10
    assert breaker.wait() == 0
    breaker.failed()
    assert breaker.wait() == 10


def test_a_try_whose_client_left_lets_the_next_one_try():
    clock = Clock()
    breaker = broken(clock)
    clock.now = 10
    assert breaker.wait() == 0
    breaker.given_up()
    assert breaker.wait() == 0
