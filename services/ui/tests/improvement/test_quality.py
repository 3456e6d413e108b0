"""Quality over time: the page's part, the charts, and the reader of Prometheus."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from ui.errors import FiguresAway
from ui.improvement import Change, Release
from ui.ports import Series
from ui.prometheus import PrometheusReader
from ui.quality import chart, marks

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OLD, NEW = "rel_5f0c2a9be417", "rel_9d41c07be2aa"


def series_of(*minutes_and_shares: tuple[int, float], release: str = OLD) -> Series:
    points = tuple((NOON + minute * MINUTE, share) for minute, share in minutes_and_shares)
    return Series(labels={"release": release}, points=points)


def change(minute: int, before: str, after: str) -> Change:
    return Change(at=NOON + minute * MINUTE, before=before, after=after)


class TestPart:
    def test_draws_down_votes_refusals_and_groundedness_by_release(self, open_improvement, figures, shown):
        figures.series = [series_of((0, 0.4), (1, 0.3)), series_of((1, 0.1), release=NEW)]
        app = open_improvement("Quality over time")
        page = shown(app)
        for title in ("Down votes", "Refusals", "Groundedness"):
            assert f"**{title}**" in page
        assert len(app.get("vega_lite_chart")) == 3
        for name in ("nexus_feedback_recent", "nexus_answers_total", "nexus_groundedness_sum"):
            assert any(name in query for query in figures.asked)

    def test_says_in_one_line_that_prometheus_is_away(self, open_improvement, figures, shown):
        figures.broken = FiguresAway("Prometheus does not answer.")
        page = shown(open_improvement("Quality over time"))
        assert page.count("No charts just now: Prometheus does not answer.") == 1

    def test_says_which_variable_is_missing_where_there_is_no_prometheus(self, open_improvement, shown):
        assert "set NEXUS_PROMETHEUS_URL" in shown(open_improvement("Quality over time", prometheus=False))

    def test_says_that_nothing_was_asked(self, open_improvement, shown):
        assert "Nothing in this time." in shown(open_improvement("Quality over time"))


class TestChart:
    def test_draws_no_line_across_a_time_without_figures(self):
        spec = chart([series_of((0, 0.1), (1, 0.2), (5, 0.3))], [], start=NOON, end=NOON + 6 * MINUTE, step=MINUTE)
        rows = spec["layer"][0]["data"]["values"]
        assert [row["share"] for row in rows] == [0.1, 0.2, None, 0.3]
        assert [row["alone"] for row in rows] == [False, False, False, True]

    def test_marks_the_promotions_within_its_time(self):
        new = change(2, "challenger", "champion"), change(4, "champion", "retired")
        old = change(-90, "candidate", "champion"), change(2, "champion", "retired")
        releases = [Release(id=NEW, state="retired", history=new), Release(id=OLD, state="retired", history=old)]
        spec = chart([series_of((0, 0.1))], marks(releases), start=NOON, end=NOON + 6 * MINUTE, step=MINUTE)
        assert [row["text"] for row in spec["layer"][2]["data"]["values"]] == [
            "rel_9d41c07 answers",
            "the first release answers again",
        ]


class TestReader:
    def test_gives_the_numbers_of_every_series_and_leaves_out_what_is_none(self):
        seen: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            values = [[NOON.timestamp(), "0.25"], [NOON.timestamp() + 60, "NaN"]]
            return httpx.Response(200, json={"data": {"result": [{"metric": {"release": OLD}, "values": values}]}})

        found = self.read(answer)
        assert found == [Series({"release": OLD}, ((NOON, 0.25),))]
        assert seen[0].url.path == "/prometheus/api/v1/query_range"
        assert dict(seen[0].url.params)["query"] == "up"
        assert dict(seen[0].url.params)["step"] == "60.0"

    @pytest.mark.parametrize(
        ("response", "says"),
        [
            (httpx.Response(503), "status 503"),
            (httpx.Response(200, text="<html>"), "shape"),
            (httpx.Response(200, json={"data": {"result": [{"metric": {}}]}}), "shape"),
            (httpx.Response(200, json=[]), "shape"),
        ],
    )
    def test_says_what_is_the_matter(self, response, says):
        with pytest.raises(FiguresAway, match=says):
            self.read(lambda _: response)

    def test_nobody_there(self):
        def nobody(_: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused")

        with pytest.raises(FiguresAway, match="does not answer"):
            self.read(nobody)

    @staticmethod
    def read(handler):
        reader = PrometheusReader("http://prometheus.invalid/prometheus", transport=httpx.MockTransport(handler))
        return reader.over_time("up", start=NOON, end=NOON + 2 * MINUTE, step=MINUTE)
