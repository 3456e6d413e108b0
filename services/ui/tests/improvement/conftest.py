"""Operators' side of the gateway in memory, a Prometheus in memory, and a way to open the page on them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from ui.errors import FiguresAway, GatewayError, NotThere
from ui.improvement import (
    Automation,
    Check,
    Incident,
    IncidentPage,
    Release,
    ReleasePage,
    Run,
    RunPage,
    StageRecord,
    Votes,
)
from ui.ports import Series

NOW = datetime.now(UTC)
CHECK = Check(
    name="specific",
    passed=True,
    champion=0.381,
    candidate=0.571,
    difference=0.19,
    low=0.048,
    high=0.333,
    questions=42,
    says="specific: 38.1% before, 57.1% now (change for the better +4.8% to +33.3%); must win by 2.0% beyond chance",
)


class FakeImprovement:
    """Satisfies `ui.ports.Improvement`; remembers what it was told. `broken` makes the named methods raise."""

    def __init__(self) -> None:
        self.known_runs: list[Run] = []
        self.logs: dict[tuple[str, str | None], str] = {}
        self.known_releases: list[Release] = []
        self.before = ""
        self.known_incidents: list[Incident] = []
        self.switch = Automation(paused=False)
        self.told: list[tuple[Any, ...]] = []
        self.broken: dict[str, GatewayError] = {}

    def break_all(self, error: GatewayError) -> None:
        """Nothing works any more."""
        self.broken = dict.fromkeys(("runs", "run", "releases", "release", "incidents", "automation"), error)

    def _may_break(self, method: str) -> None:
        if method in self.broken:
            raise self.broken[method]

    def runs(self, *, limit: int) -> RunPage:
        self._may_break("runs")
        more = len(self.known_runs) > limit
        shown = [run.model_copy(update={"verdict": None}) for run in self.known_runs[:limit]]
        return RunPage(runs=shown, next_cursor=limit if more else None)

    def run(self, run_id: str) -> Run:
        self._may_break("run")
        for run in self.known_runs:
            if run.id == run_id:
                return run
        raise NotThere("There is no such run.")

    def run_log(self, run_id: str, *, stage: str | None = None) -> str:
        self._may_break("run_log")
        return self.logs.get((run_id, stage), "")

    def start_run(self, reason: str | None) -> Run:
        self._may_break("start_run")
        self.told.append(("start_run", reason))
        run = Run(id="run_0000000new", reason=reason, created_at=datetime.now(UTC))
        self.known_runs.insert(0, run)
        return run

    def releases(self, *, limit: int) -> ReleasePage:
        self._may_break("releases")
        shown = [one.model_copy(update={"history": (), "parts": None}) for one in self.known_releases[:limit]]
        return ReleasePage(releases=shown)

    def release(self, release_id: str) -> Release:
        self._may_break("release")
        return next(one for one in self.known_releases if one.id == release_id)

    def promote(self, release_id: str, reason: str | None) -> Release:
        self._may_break("promote")
        self.told.append(("promote", release_id, reason))
        return self._crown(release_id)

    def roll_back(self, reason: str | None) -> Release:
        self._may_break("roll_back")
        self.told.append(("roll_back", reason))
        return self._crown(self.before)

    def _crown(self, wanted: str) -> Release:
        self.known_releases = [
            one.model_copy(update={"alias": "champion" if one.id == wanted else None}) for one in self.known_releases
        ]
        return self.release(wanted)

    def incidents(self, *, limit: int) -> IncidentPage:
        self._may_break("incidents")
        return IncidentPage(incidents=self.known_incidents[:limit])

    def automation(self) -> Automation:
        self._may_break("automation")
        return self.switch

    def set_automation(self, *, paused: bool, reason: str | None) -> Automation:
        self._may_break("set_automation")
        self.told.append(("set_automation", paused, reason))
        self.switch = Automation(paused=paused, by="key_ops", reason=reason, changed_at=datetime.now(UTC))
        return self.switch


class FakeFigures:
    """Satisfies `ui.ports.Figures`."""

    def __init__(self) -> None:
        self.series: list[Series] = []
        self.asked: list[str] = []
        self.broken: FiguresAway | None = None

    def over_time(self, query: str, *, start: datetime, end: datetime, step: timedelta) -> Sequence[Series]:
        self.asked.append(query)
        if self.broken:
            raise self.broken
        return self.series


def _run(name: str = "run_8a61d0c2f7b94e13", **more: Any) -> Run:
    given = {"outcome": "promoted", "created_at": NOW - timedelta(hours=2), "finished_at": NOW - timedelta(hours=1)}
    return Run(id=name, **{**given, **more})


def _run_under_way(stage: str, *done: tuple[str, float], since: float = 42.0, **more: Any) -> Run:
    records = [
        StageRecord(stage=name, status="done", started_at=NOW, finished_at=NOW, seconds=seconds, says="That went well.")
        for name, seconds in done
    ]
    current = StageRecord(stage=stage, status="running", started_at=datetime.now(UTC) - timedelta(seconds=since))
    stages = (*records, current)
    return _run(outcome=None, finished_at=None, stage=stage, status="running", stages=stages, **more)


def _release(name: str, state: str, **more: Any) -> Release:
    given = {"first_seen": NOW - timedelta(days=2), "votes": Votes(up=12, down=3)}
    return Release(id=name, state=state, **{**given, **more})


def _incident(**more: Any) -> Incident:
    given = {
        "id": "inc_4c1f09aa7d21",
        "alertname": "NexusAnswerQualityLow",
        "severity": "warning",
        "status": "resolved",
        "decision": "started",
        "reason": "Run run_8a61d0c2f7b94e13 of reader was started.",
        "run": "run_8a61d0c2f7b94e13",
        "run_outcome": "promoted",
        "starts_at": NOW - timedelta(hours=3),
        "ends_at": NOW - timedelta(hours=1),
        "messages": 9,
    }
    return Incident(**{**given, **more})


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """A run that ended well an hour ago, unless told otherwise."""
    return _run


@pytest.fixture
def make_run_under_way() -> Callable[..., Run]:
    """A run that is at a stage since so many seconds, with stages done in so many."""
    return _run_under_way


@pytest.fixture
def make_release() -> Callable[..., Release]:
    """A release of two days ago."""
    return _release


@pytest.fixture
def make_check() -> Callable[..., Check]:
    """A figure that won, unless told otherwise."""
    return lambda **more: CHECK.model_copy(update=more)


@pytest.fixture
def make_incident() -> Callable[..., Incident]:
    """An incident that a run has ended."""
    return _incident


@pytest.fixture
def platform() -> FakeImprovement:
    """A platform that answers with its first release and has never improved."""
    fake = FakeImprovement()
    fake.known_releases = [_release("rel_5f0c2a9be417", "start", alias="champion")]
    return fake


@pytest.fixture
def figures() -> FakeFigures:
    return FakeFigures()


@pytest.fixture
def open_improvement(
    platform: FakeImprovement, figures: FakeFigures, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AppTest]:
    """Open the page at one of its parts."""
    monkeypatch.setenv("NEXUS_API_KEY", "a-key-for-tests")
    monkeypatch.delenv("NEXUS_PROMETHEUS_URL", raising=False)
    st.cache_resource.clear()

    def opened(part: str = "Runs", *, prometheus: bool = True) -> AppTest:
        app = AppTest.from_string("from ui.views import improvement\n\nimprovement.page()", default_timeout=20)
        app.session_state["improvement"] = platform
        app.session_state["improvement-part"] = part
        if prometheus:
            app.session_state["figures"] = figures
        app.run()
        assert not app.exception
        return app

    return opened


@pytest.fixture
def shown() -> Callable[[AppTest], str]:
    """Everything written on a page, and the names of what can be pressed and opened."""

    def words(app: AppTest) -> str:
        pieces = [*app.markdown, *app.caption, *app.code, *app.get("html")]
        named = [*app.button, *app.expander]
        return "\n".join([str(piece.value) for piece in pieces] + [str(piece.label) for piece in named])

    return words
