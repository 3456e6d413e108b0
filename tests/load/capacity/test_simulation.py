"""The simulation agrees with the formulas where both speak of the same, and shows what they cannot."""

from dataclasses import replace

import pytest

from tests.load.capacity.queueing import mean_wait
from tests.load.capacity.simulation import Events, House, Station, simulate

COMMON = House(
    rate=30.0, rags=1, slots=1_000, tritons=4, readers=2, around=0.03, reading=0.2, spread=1.0, routing="common"
)


class TestAgainstErlang:
    @pytest.mark.parametrize(("tritons", "rate"), [(1, 6.0), (2, 14.0), (4, 32.0)])
    def test_the_mean_wait_is_that_of_the_formula(self, tritons: int, rate: float):
        seen = simulate(replace(COMMON, tritons=tritons, rate=rate), answers=120_000)
        assert seen.mean_wait == pytest.approx(mean_wait(2 * tritons, rate, 0.2), rel=0.12)

    def test_even_reading_times_wait_less_than_the_formula_says(self):
        assert simulate(replace(COMMON, spread=0.25)).mean_wait < mean_wait(8, 30.0, 0.2)

    def test_without_load_an_answer_takes_what_it_costs(self):
        alone = simulate(replace(COMMON, rate=0.01, spread=0.0), answers=500)
        assert alone.p50 == pytest.approx(0.23)
        assert alone.mean_wait == pytest.approx(0.0)


class TestRouting:
    TURNS = replace(COMMON, rags=6, slots=4, spread=0.25, routing="turns", rate=28.0)

    def test_a_common_queue_is_best_and_turns_come_close(self):
        common, turns = (simulate(replace(self.TURNS, routing=routing)).p95 for routing in ("common", "turns"))
        assert common <= turns <= 2 * common

    def test_pods_that_nobody_holds_on_to_stay_idle(self):
        pinned = replace(self.TURNS, rags=2, slots=100, routing="pinned")
        assert simulate(pinned).p95 > 10 * simulate(replace(pinned, routing="turns")).p95

    def test_too_few_slots_in_rag_make_answers_wait_for_idle_readers(self):
        starved = replace(self.TURNS, rags=1)
        assert simulate(starved).p95 > 3 * simulate(self.TURNS).p95

    def test_the_same_seed_is_the_same_day(self):
        assert simulate(self.TURNS, answers=2_000) == simulate(self.TURNS, answers=2_000)


class TestStation:
    def test_who_came_first_is_served_first(self):
        events, station, served = Events(), Station(1), []

        def enter(name: str) -> None:
            def serve() -> None:
                served.append((name, events.now))
                events.after(2.0, station.leave)

            station.enter(serve)

        for at, name in ((0.0, "a"), (0.5, "b"), (1.0, "c")):
            events.after(at, lambda name=name: enter(name))
        events.run()
        assert served == [("a", 0.0), ("b", 2.0), ("c", 4.0)]
