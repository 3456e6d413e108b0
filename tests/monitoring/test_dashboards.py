"""The dashboards: made by the code beside them, about series that exist, and drawn where each panel has its place."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.grafana.__main__ import FOLDER, files
from monitoring.grafana.alerts import alert, alerts, names
from tests.monitoring import third_party
from tests.monitoring.exported import known, of_services
from tests.monitoring.made_up import show_something
from tests.monitoring.promql import Mistake, check, selectors
from tests.monitoring.promtool import ROOT, promtool, rules

Json = dict[str, Any]

BOARDS: dict[str, Json] = {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}
SEVEN = ("overview", "answers", "ingestion", "model-loop", "gateway", "triton", "infrastructure")
IN_EXPRESSIONS = {"$__rate_interval": "1m", "$__range": "6h"}
WORDS_OF_OTHERS = {
    "5xx",  # prometheus-fastapi-instrumentator groups statuses
    "firing",  # Prometheus
    "embedder",  # a folder of serving/model_repository
}

boards = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
pictures = pytest.mark.parametrize("board", [BOARDS[name] for name in SEVEN], ids=SEVEN)


@dataclass(frozen=True)
class Asked:
    """An expression as Prometheus gets it."""

    where: str
    expr: str
    legend: str
    panel: bool


def asked(board: Json) -> Iterator[Asked]:
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            legend = target["legendFormat"] if target["format"] == "time_series" else ""
            yield Asked(panel["title"], filled_in(board, target["expr"]), legend, panel=True)
    for annotation in board["annotations"]["list"]:
        words = annotation["titleFormat"] + annotation["textFormat"]
        yield Asked(annotation["name"], filled_in(board, annotation["expr"]), words, panel=False)


def every_object(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every_object(inner)


def variables(board: Json) -> list[Json]:
    return [variable for variable in board["templating"]["list"] if variable["type"] == "query"]


def filled_in(board: Json, text: str) -> str:
    for name, value in IN_EXPRESSIONS.items() | {(f"${variable['name']}", ".*") for variable in variables(board)}:
        text = text.replace(name, value)
    assert "$" not in text.replace("${1}xx", ""), f"a variable that nobody chooses: {text}"
    return text


def overlapping(board: Json) -> list[tuple[str, str]]:
    def apart(one: Json, other: Json) -> bool:
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        return beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]

    pairs = combinations(board["panels"], 2)
    return [(one["title"], two["title"]) for one, two in pairs if not apart(one["gridPos"], two["gridPos"])]


def names_shown() -> set[str]:
    return {selector.name for board in BOARDS.values() for one in asked(board) for selector in selectors(one.expr)}


def family(name: str) -> str:
    return re.sub(r"_(total|bucket|sum|count|created)$", "", name)


def unknown_words(text: str, said: str) -> set[str]:
    """Values asked for that stand nowhere in the services' code."""
    matchers = [matcher for selector in selectors(text) for matcher in selector.matchers.matchers]
    values = {word for matcher in matchers if "." not in matcher.value for word in matcher.value.split("|")}
    return {word for word in values - WORDS_OF_OTHERS if f'"{word}"' not in said}


@pytest.fixture(scope="module")
def series() -> dict[str, frozenset[str]]:
    return known()


@pytest.fixture(scope="module")
def said() -> str:
    """Every word in quotes that a label may be: of the code, of jobs, of alerts."""
    code = [file.read_text() for file in ROOT.glob("services/*/src/**/*.py")]
    jobs = re.findall(r"job_name: ([\w-]+)", (ROOT / "monitoring" / "prometheus.yml.tmpl").read_text())
    return "\n".join([*code, *(f'"{word}"' for word in [*jobs, *names(), "retrain"])])


class TestTheFiles:
    def test_are_what_the_code_makes(self) -> None:
        on_disk = {file.name: file.read_text() for file in FOLDER.glob("*.json")}
        assert on_disk.keys() == files().keys()
        stale = [name for name, text in files().items() if on_disk[name] != text]
        assert stale == [], "make dashboards writes them anew"

    def test_are_there_for_each_part_of_the_platform(self) -> None:
        assert set(BOARDS) == {*SEVEN, "runbooks"}

    @boards
    def test_have_a_name_of_their_own(self, board: Json) -> None:
        assert [other["title"] for other in BOARDS.values() if other["uid"] == board["uid"]] == [board["title"]]
        assert len(board["uid"]) <= 40
        assert max(Counter(panel["id"] for panel in board["panels"]).values()) == 1

    @boards
    def test_ask_the_prometheus_that_the_reader_chooses(self, board: Json) -> None:
        sources = [one["datasource"] for one in every_object(board) if "datasource" in one]
        assert len(sources) > len(variables(board))
        assert [one for one in sources if one != {"type": "prometheus", "uid": "${datasource}"}] == []
        (chosen,) = [one for one in board["templating"]["list"] if one["name"] == "datasource"]
        assert chosen["current"]["value"] == "prometheus"


class TestWhatIsAsked:
    def test_prometheus_reads_every_expression(self, tmp_path: Path) -> None:
        expressions = sorted({one.expr for board in BOARDS.values() for one in asked(board)})
        recording = [{"record": f"dashboards:{number}", "expr": expr} for number, expr in enumerate(expressions)]
        file = tmp_path / "expressions.yml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": recording}]}))
        promtool("check", "rules", "--lint=none", file)

    @boards
    def test_somebody_exports_it_with_these_labels(self, board: Json, series: dict[str, frozenset[str]]) -> None:
        for one in asked(board):
            check(one.expr, series, legend=one.legend)
        for variable in variables(board):
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()
            check(f"sum by ({label}) ({metric})", series)

    @boards
    def test_its_labels_have_such_values(self, board: Json, said: str) -> None:
        assert {one.where: unknown_words(one.expr, said) for one in asked(board) if unknown_words(one.expr, said)} == {}

    def test_every_panel_has_something_to_show_where_everything_happens(
        self, series: dict[str, frozenset[str]], tmp_path: Path
    ) -> None:
        panels = [target for board in BOARDS.values() for target in asked(board) if target.panel]
        show_something([one.expr for one in panels], series, tmp_path)

    def test_one_that_never_has_is_found(self, series: dict[str, frozenset[str]], tmp_path: Path) -> None:
        never = 'nexus_answers_total{outcome="answered"} and nexus_answers_total{outcome="error"}'
        with pytest.raises(AssertionError, match="FAILED"):
            show_something([never], series, tmp_path)

    @pytest.mark.parametrize(
        ("text", "legend", "says"),
        [
            ("sum(rate(nexus_answers_totl[5m]))", "", "nobody exports nexus_answers_totl"),
            ("rate(nexus_answer_duration_seconds_buckets[5m])", "", "nobody exports"),
            ('rate(nexus_answers_total{relase="rel_1"}[5m])', "", "no label relase"),
            ("sum by (outcomes) (nexus_answers_total)", "", "no label outcomes"),
            ("histogram_quantile(0.9, sum by (release) (nexus_groundedness_bucket))", "", "no label le"),
            ("sum by (release) (nexus_answers_total) / sum(nexus_answers_total)", "", "never meet"),
            ("up and on (release) nexus:release:champion", "", "no label release"),
            ("sum by (release) (nexus_answers_total)", "{{outcome}}", "the legend"),
        ],
    )
    def test_a_mistake_is_found(self, text: str, legend: str, says: str, series: dict[str, frozenset[str]]) -> None:
        with pytest.raises(Mistake, match=says):
            check(text, series, legend=legend)

    def test_a_word_that_no_service_says_is_found(self, said: str) -> None:
        assert unknown_words('nexus_answers_total{outcome=~"answered|anwsered"}', said) == {"anwsered"}

    def test_the_rules_ask_for_what_exists_too(self, series: dict[str, frozenset[str]], said: str) -> None:
        for rule in rules():
            check(rule["expr"], series)
            assert unknown_words(rule["expr"], said) == set()

    def test_whatever_our_services_count_is_shown_somewhere(self) -> None:
        shown = names_shown()
        shown |= {one.name for rule in rules("record") if rule["record"] in shown for one in selectors(rule["expr"])}
        unseen = {family(name) for name in of_services()} - {family(name) for name in shown}
        # Of HTTP, the overall histogram is shown; sizes and the coarse one by route are for questions by hand.
        by_hand = {"request_duration_seconds", "request_size_bytes", "response_size_bytes"}
        assert {name for name in unseen if name.startswith("nexus_")} == {f"nexus_http_{name}" for name in by_hand}

    def test_of_others_only_what_is_shown_is_listed(self) -> None:
        assert {name for source in third_party.SOURCES for name in source.series} - names_shown() == set()


class TestAlertsOnDashboards:
    def test_each_is_on_one(self) -> None:
        asked_for = "\n".join(one.expr for name in SEVEN for one in asked(BOARDS[name]))
        assert [name for name in names() if name not in asked_for] == []

    def test_are_taken_apart_without_losing_anything(self) -> None:
        expressions = [_squeezed(rule["expr"]) for rule in rules("alert")]
        taken = [_squeezed(f"{one.figure} {one.comparison}") for one in alerts()]
        assert len(taken) == len(expressions)
        for expression, start in zip(expressions, taken, strict=True):
            assert expression.startswith(start)

    @pytest.mark.parametrize(
        ("name", "labels", "limit"),
        [
            ("NexusAnswerSlow", {}, 2),
            ("NexusGroundednessLow", {}, 0.7),
            ("NexusErrorBudgetBurn", {"window": "6h"}, 0.06),
        ],
    )
    def test_their_limits_are_read_from_the_rules(self, name: str, labels: dict[str, str], limit: float) -> None:
        assert alert(name, **labels).number == limit

    @pictures
    def test_a_red_side_is_where_the_alert_fires(self, board: Json) -> None:
        drawn = [panel for panel in board["panels"] if "thresholdsStyle" in json.dumps(panel)]
        for panel in drawn:
            (link,) = panel["links"]
            name = link["title"].removeprefix("What to do: ")
            steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
            limits = {step["value"] for step in steps if step["value"] is not None}
            watching = [one for one in alerts() if one.name == name and {one.number or 1e-9} == limits]
            assert len(watching) == 1, panel["title"]
            red = [step["value"] for step in steps if step["color"] == "red"]
            assert red == ([None] if watching[0].comparison == "<" else [*limits])
            assert _squeezed(watching[0].figure) in _squeezed(panel["targets"][0]["expr"])

    @boards
    def test_a_link_leads_to_the_page_of_its_name(self, board: Json) -> None:
        pages = {panel["id"]: panel["title"] for panel in BOARDS["runbooks"]["panels"] if panel["type"] == "text"}
        assert sorted(pages.values()) == names()
        for title, url in re.findall(r'"title": "What to do: (\w+)", "url": "([^"]+)"', json.dumps(board)):
            assert url == f"/d/nexus-runbooks/runbooks?viewPanel={_number_of(pages, title)}"
        for title, url in re.findall(r"\[(Nexus\w+)\]\((/d/[^)]+)\)", json.dumps(board)):
            assert url == f"/d/nexus-runbooks/runbooks?viewPanel={_number_of(pages, title)}"


def _number_of(pages: dict[int, str], title: str) -> int:
    (number,) = [number for number, name in pages.items() if name == title]
    return number


def _squeezed(expression: str) -> str:
    return "".join(expression.split())


class TestThePanels:
    @boards
    def test_each_has_a_place_of_its_own(self, board: Json) -> None:
        assert overlapping(board) == []
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])

    def test_one_upon_another_is_found(self) -> None:
        board = deepcopy(BOARDS["overview"])
        first, second = board["panels"][1:3]
        second["gridPos"] = {**first["gridPos"], "x": first["gridPos"]["x"] + 1}
        assert overlapping(board)[0] == (first["title"], second["title"])

    @pictures
    def test_fill_their_lines(self, board: Json) -> None:
        lines = Counter[int]()
        for panel in board["panels"]:
            for line in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"]):
                lines[line] += panel["gridPos"]["w"]
        ragged = {panel["title"] for panel in board["panels"] if lines[panel["gridPos"]["y"]] != 24}
        assert ragged == set()

    @pictures
    def test_each_says_what_it_means_and_in_which_unit(self, board: Json) -> None:
        drawn = [panel for panel in board["panels"] if panel["type"] != "row"]
        assert [panel["title"] for panel in drawn if len(panel["description"].split()) < 2] == []
        assert [panel["title"] for panel in drawn if not re.search(r'"(unit|id": "unit)"', json.dumps(panel))] == []

    @pictures
    def test_a_title_is_there_once(self, board: Json) -> None:
        titles = Counter(panel["title"] for panel in board["panels"])
        assert [title for title, count in titles.items() if count > 1] == []

    @pictures
    def test_mark_alerts_and_promotions(self, board: Json) -> None:
        assert [one["name"] for one in board["annotations"]["list"]] == ["Alerts", "Promotions", "Canaries"]
