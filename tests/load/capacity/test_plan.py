"""What a plan promises."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.load.capacity.costs import COSTS
from tests.load.capacity.demand import COMPANY, MANY, TEAM, Demand
from tests.load.capacity.plan import fits_one_machine, house, index_bytes, plan, readers
from tests.load.capacity.prices import PRICES, bill, gpus
from tests.load.capacity.queueing import MOST_BUSY
from tests.load.capacity.simulation import simulate
from tests.load.capacity.vectors import DISKANN, HNSW, IVF_SQ8, RABITQ_SQ8

GOAL = 1.0
"""Seconds that 95 % of answers may take."""

users = st.integers(10_000, 200_000)
chunks = st.integers(1_000_000, 2_000_000_000)
PEOPLE = ("gateway", "rag", "triton", "ui", "Milvus query node")


class TestMoreIsNeverFewer:
    @given(fewer=users, more=users)
    @settings(max_examples=40, deadline=None)
    def test_users(self, fewer: int, more: int):
        fewer, more = sorted((fewer, more))
        small, large = (plan(Demand("", some, 10_000_000)) for some in (fewer, more))
        assert all(small.pods(part) <= large.pods(part) for part in PEOPLE)
        assert small.cores <= large.cores

    @given(fewer=chunks, more=chunks)
    @settings(max_examples=40, deadline=None)
    def test_chunks(self, fewer: int, more: int):
        fewer, more = sorted((fewer, more))
        small, large = (plan(Demand("", 20_000, some), index=HNSW) for some in (fewer, more))
        assert all(small.pods(part) <= large.pods(part) for part in (*PEOPLE, "ingest-worker"))


class TestRoom:
    @given(users=users, chunks=chunks)
    @settings(max_examples=60, deadline=None)
    def test_no_part_is_busier_than_it_may_be(self, users: int, chunks: int):
        demand = Demand("", users, chunks)
        made = plan(demand)
        peak = demand.peak
        assert peak * COSTS.gateway_answer / made.pods("gateway") <= MOST_BUSY
        assert peak * COSTS.rag_answer / made.pods("rag") <= MOST_BUSY
        assert peak * COSTS.reading / (made.pods("triton") * COSTS.readers_a_pod) <= MOST_BUSY
        assert peak * COSTS.reading / (made.pods("rag") * COSTS.reader_slots) <= MOST_BUSY

    @given(chunks=chunks)
    @settings(max_examples=40, deadline=None)
    def test_query_nodes_hold_two_copies_with_room(self, chunks: int):
        demand = Demand("", 20_000, chunks)
        made = plan(demand)
        nodes = next(part for part in made.parts if part.name == "Milvus query node")
        held = 2 * chunks * index_bytes(made.index) / 1024**3
        assert held <= nodes.pods * nodes.memory * COSTS.query_full

    @pytest.mark.parametrize("demand", [COMPANY, MANY], ids=lambda one: one.name)
    def test_answers_at_the_peak_keep_the_goal(self, demand: Demand):
        assert simulate(house(demand, plan(demand))).p95 <= GOAL

    @pytest.mark.parametrize("demand", [COMPANY, MANY], ids=lambda one: one.name)
    def test_with_one_of_the_pods_that_read_gone_they_still_do(self, demand: Demand):
        whole = house(demand, plan(demand))
        assert simulate(replace(whole, tritons=whole.tritons - 1)).p95 <= GOAL

    def test_pods_have_twice_the_memory_that_their_processes_hold(self):
        sizes = {part.name: part.memory * 1024 for part in plan(COMPANY).parts}
        held = {
            "gateway": COSTS.gateway_memory,
            "rag": COSTS.rag_memory,
            "triton": COSTS.triton_memory,
            "ingest-worker": COSTS.worker_memory,
        }
        assert all(sizes[name] >= 2 * memory for name, memory in held.items())

    def test_recording_answers_one_after_the_other_is_fast_enough(self):
        """For the largest example hardly: docs/scaling.md says so."""
        assert COMPANY.peak <= COSTS.commits * MOST_BUSY
        assert COSTS.commits * MOST_BUSY < MANY.peak < COSTS.commits


class TestExamples:
    def test_a_team_fits_one_machine_and_a_company_does_not(self):
        assert fits_one_machine(TEAM)
        assert not fits_one_machine(COMPANY)
        assert [part.name for part in plan(TEAM).parts] == ["all of it"]

    def test_costs_of_the_stack_and_of_its_processes_agree(self):
        """Eight clients keep two cores busy; the clients themselves take a little of them."""
        parts = (
            COSTS.gateway_answer + COSTS.rag_answer + COSTS.reader_answer + COSTS.embedder_answer + COSTS.lite_answer
        )
        assert parts == pytest.approx(2 / COSTS.stack_answers, rel=0.12)

    def test_large_indexes_leave_the_graph(self):
        assert plan(COMPANY).index is HNSW
        assert plan(MANY).index is RABITQ_SQ8
        assert index_bytes(DISKANN) < index_bytes(IVF_SQ8) < index_bytes(HNSW)

    def test_the_larger_the_cheaper_an_answer(self):
        company, many = bill(plan(COMPANY)), bill(plan(MANY))
        assert many.a_thousand < company.a_thousand

    def test_prices_are_an_input(self):
        dear = replace(PRICES, core_hour=2 * PRICES.core_hour)
        assert bill(plan(COMPANY), prices=dear).cores == pytest.approx(2 * bill(plan(COMPANY)).cores)

    def test_gpus_grow_with_answers(self):
        assert gpus(2.0) == pytest.approx(2 * gpus(1.0))
        assert readers(60.0) > readers(6.0)
