"""docs/scaling.md says what the model says."""

import re

from tests.load.capacity.__main__ import DOCS, PAGE
from tests.load.capacity.costs import COSTS
from tests.load.capacity.plan import indexed
from tests.load.capacity.tables import TABLES, filled
from tests.load.capacity.thresholds import gateway, ingest_worker, rag, triton_in_flight, triton_queue


class TestPage:
    def test_its_tables_are_as_the_model_makes_them(self):
        page = PAGE.read_text()
        assert filled(page) == page, "run `make scaling`"

    def test_it_shows_every_table_once(self):
        assert sorted(re.findall(r"<!-- table: (\w+) -->", PAGE.read_text())) == sorted(TABLES)

    def test_its_pictures_are_there(self):
        names = re.findall(r"\(images/([\w.-]+)\)", PAGE.read_text())
        assert names
        assert all((DOCS / "images" / name).exists() for name in names)


class TestThresholds:
    def test_a_pod_at_its_threshold_turns_nobody_away(self):
        assert gateway() < COSTS.gateway_answers
        assert rag() < COSTS.reader_slots * COSTS.answer / COSTS.reading
        assert triton_in_flight() < COSTS.readers_a_pod

    def test_waits_at_the_threshold_leave_an_answer_its_second(self):
        assert COSTS.answer + 3 * triton_queue() / 1000 < 1.0

    def test_a_backlog_is_gone_before_anybody_is_alarmed(self):
        seconds = ingest_worker() * COSTS.chunks_a_document / indexed()
        assert seconds < 600
