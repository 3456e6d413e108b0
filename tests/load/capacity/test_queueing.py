"""Erlang's formulas, against values from the textbooks and against themselves."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.load.capacity.queueing import MOST_BUSY, chance_to_wait, longest_wait, mean_wait, servers_for

rates = st.floats(0.01, 500)
times = st.floats(0.01, 5)


class TestWaiting:
    def test_one_server_is_found_busy_as_often_as_it_is_busy(self):
        assert chance_to_wait(1, 0.6) == pytest.approx(0.6)

    def test_two_servers_as_in_the_closed_form(self):
        busy = 0.7
        assert chance_to_wait(2, 2 * busy) == pytest.approx(2 * busy**2 / (1 + busy))

    def test_ten_servers_with_eight_offered_as_in_the_tables(self):
        assert chance_to_wait(10, 8.0) == pytest.approx(0.409, abs=0.001)

    def test_what_never_gets_done_waits_for_ever(self):
        assert chance_to_wait(2, 2.0) == 1.0
        assert mean_wait(2, 10, 0.2) == math.inf
        assert longest_wait(2, 11, 0.2) == math.inf

    def test_mean_of_one_server_as_in_the_closed_form(self):
        assert mean_wait(1, 0.5, 1.0) == pytest.approx(1.0)

    def test_hundreds_of_servers_overflow_nothing(self):
        assert 0 <= chance_to_wait(2_000, 1_900.0) <= 1

    @settings(deadline=None)
    @given(rate=rates, service=times, servers=st.integers(1, 50))
    def test_one_server_more_makes_nobody_wait_longer(self, rate: float, service: float, servers: int):
        assert mean_wait(servers + 1, rate, service) <= mean_wait(servers, rate, service)


class TestServersFor:
    @settings(deadline=None)
    @given(rate=rates, service=times)
    def test_none_is_busier_than_it_may_be(self, rate: float, service: float):
        assert rate * service / servers_for(rate, service) <= MOST_BUSY + 1e-6

    @settings(deadline=None)
    @given(rate=rates, service=times, wait=st.floats(0.01, 2))
    def test_no_more_than_needed_and_the_wait_is_kept(self, rate: float, service: float, wait: float):
        servers = servers_for(rate, service, wait=wait)
        assert longest_wait(servers, rate, service) <= wait
        if servers > math.ceil(rate * service / MOST_BUSY):
            assert longest_wait(servers - 1, rate, service) > wait

    @settings(deadline=None)
    @given(rate=rates, more=rates, service=times)
    def test_more_load_never_needs_fewer(self, rate: float, more: float, service: float):
        assert servers_for(rate + more, service, wait=0.25) >= servers_for(rate, service, wait=0.25)
