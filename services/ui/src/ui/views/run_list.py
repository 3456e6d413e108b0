"""The runs: the one under way stage by stage with the end of its log, and those that ended."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from ui.improvement import Run
from ui.improvement_words import OUTCOMES_EXPLAINED, STAGES, run_badge, short, stage_name, why_run
from ui.safe_text import label
from ui.session import attempt, improvement, show_trouble
from ui.stages import as_html, place, steps
from ui.views.verdict import show_verdict
from ui.wording import Trouble, ago, date_and_time, duration

RUNS = 20
MOST_RUNS = 1000
LINES = 12
LONGEST_LINE = 400
NO_RUN = (
    "No run yet. Votes with corrections are what a run learns from: press the thumb down under an answer on the Chat "
    "page and say what would have been right. An alert about bad answers starts a run by itself; the button above "
    "does too."
)
EVERYTHING = "All stages"


def run_list() -> None:
    """Draw the list."""
    limit = int(st.session_state.get("runs-shown") or RUNS)
    found = attempt(improvement().runs, limit=limit)
    if isinstance(found, Trouble):
        show_trouble(found, key="runs")
        return
    if not found.runs:
        st.caption(NO_RUN)
    for run in _with_the_wanted(found.runs):
        if run.under_way:
            _live(run)
        else:
            _ended(run)
    if found.next_cursor is not None and limit < MOST_RUNS:
        st.button("Show older runs", key="older-runs", type="tertiary", on_click=_show_older, args=(limit,))


def open_run(run_id: str) -> None:
    """Turn to the runs with one of them opened. For callbacks: it moves what is drawn afterwards."""
    st.session_state["improvement-part"] = "Runs"
    st.session_state["run-wanted"] = run_id
    st.session_state[f"run-{run_id}"] = True


def _with_the_wanted(runs: Sequence[Run]) -> list[Run]:
    """The runs, and the one that somebody followed a link to when it is older than these."""
    wanted = st.session_state.get("run-wanted")
    if wanted is None or any(run.id == wanted for run in runs):
        return list(runs)
    found = attempt(improvement().run, str(wanted))
    if isinstance(found, Trouble):
        show_trouble(found, key="run-wanted")
        return list(runs)
    return [*runs, found]


def _show_older(limit: int) -> None:
    st.session_state["runs-shown"] = min(limit * 2, MOST_RUNS)


def _live(run: Run) -> None:
    now = datetime.now(UTC)
    with st.container(key=f"live-{run.id}", border=True, gap="small"):
        st.markdown(f"{run_badge(run).markdown} **{label(short(run.id))}** :gray[:small[{label(_origin(run, now))}]]")
        _incident_link(run)
        if not run.stages:
            st.caption("It begins as soon as the worker is free.")
            return
        st.markdown(label(place(run)))
        st.html(as_html(steps(run, now)))
        _last_lines(run)


def _last_lines(run: Run) -> None:
    written = attempt(improvement().run_log, run.id, stage=run.stage)
    if isinstance(written, Trouble):
        st.caption(label(f"Its log cannot be read now. {written.advice}"))
        return
    lines = [line[:LONGEST_LINE] for line in written.splitlines()[-LINES:]]
    st.caption("The last lines of its log")
    st.code("\n".join(lines) or "Nothing written yet.", language=None, wrap_lines=True)


def _ended(run: Run) -> None:
    now = datetime.now(UTC)
    name = f"{run_badge(run).markdown}\u2002**{label(short(run.id))}**\u2002:gray[:small[{label(_origin(run, now))}]]"
    with st.container(key=f"ended-{run.id}", gap="xxsmall"):
        opened = st.expander(name, key=f"run-{run.id}", on_change="rerun")
        if run.says:
            st.caption(label(run.says))
    with opened:
        if opened.open:
            _details(run)


def _details(run: Run) -> None:
    known = _whole(run)
    if isinstance(known, Trouble):
        show_trouble(known, key=f"run-{run.id}")
        return
    if known.outcome in OUTCOMES_EXPLAINED:
        st.markdown(OUTCOMES_EXPLAINED[known.outcome])
    st.caption(label(_facts(known)))
    _incident_link(known)
    st.html(as_html(steps(known, datetime.now(UTC))))
    if known.verdict is not None:
        show_verdict(known.verdict, key=known.id)
    _log(known)


def _whole(run: Run) -> Run | Trouble:
    """The run with its verdict, asked for once: what has ended changes no more."""
    kept: dict[str, Run] = st.session_state.setdefault("runs-known", {})
    if run.id not in kept:
        found = attempt(improvement().run, run.id)
        if isinstance(found, Trouble):
            return found
        kept[run.id] = found
    return kept[run.id]


def _origin(run: Run, now: datetime) -> str:
    return f"{ago(run.finished_at or run.created_at, now)} · {why_run(run)}"


def _facts(run: Run) -> str:
    facts = [f"{run.id}", f"begun {date_and_time(run.created_at)} by {run.started_by or 'nobody'}"]
    if run.finished_at is not None:
        facts.append(f"took {duration((run.finished_at - run.created_at).total_seconds())}")
    if run.reason:
        facts.append(run.reason)
    if run.release:
        facts.append(f"made {short(run.release)}")
    return " · ".join(facts)


def _incident_link(run: Run) -> None:
    if run.incident and st.button(
        label(f"Incident {run.alertname or short(run.incident)}"),
        key=f"incident-of-{run.id}",
        icon=":material/notifications:",
        type="tertiary",
        on_click=_open_incident,
        args=(run.incident,),
    ):
        st.rerun()  # the whole page, for another of its parts is wanted


def _open_incident(incident_id: str) -> None:
    st.session_state["improvement-part"] = "Incidents"
    st.session_state["incident-wanted"] = incident_id


def _log(run: Run) -> None:
    if not st.toggle("Show the log", key=f"log-{run.id}"):
        return
    stages = [record.stage for record in run.stages if record.stage in STAGES]
    stage = st.selectbox(
        "Stage",
        [EVERYTHING, *stages],
        key=f"log-stage-{run.id}",
        format_func=lambda name: name if name == EVERYTHING else stage_name(name),
    )
    written = attempt(improvement().run_log, run.id, stage=None if stage == EVERYTHING else stage)
    if isinstance(written, Trouble):
        show_trouble(written, key=f"log-{run.id}")
        return
    st.code(written or "Nothing was written.", language=None, wrap_lines=True, height=360)
    st.download_button(
        "Download the log",
        written,
        file_name=f"{run.id}.log",
        mime="text/plain",
        key=f"download-log-{run.id}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
