"""The Improvement page: what answers now, how it is being made better, and the operator's hand on it."""

from datetime import UTC, datetime

import streamlit as st

from ui.improvement import Automation, Release, alias_holder
from ui.improvement_words import percent, run_badge, short, votes
from ui.safe_text import label
from ui.session import attempt, improvement, show_noted, show_trouble
from ui.stages import place
from ui.views.confirming import SLOT, ask_first
from ui.views.incident_list import incident_list
from ui.views.quality import quality
from ui.views.release_list import MOST_RELEASES, release_list
from ui.views.run_list import run_list
from ui.wording import Trouble, ago

PARTS = ("Runs", "Releases", "Incidents", "Quality over time")
POLL_SECONDS = 3.0
IDLE_SECONDS = 30.0
LEARNS = "People's votes and corrections train a new release; it only answers once it has proven better."


def page() -> None:
    """Draw the page."""
    st.title("Improvement", anchor=False)
    st.caption(LEARNS)
    automation = attempt(improvement().automation)
    if isinstance(automation, Trouble) and attempt(improvement().releases, limit=1) == automation:
        show_trouble(automation, key="improvement-page")  # nothing on this page can be had: said once
        return
    news = st.container()
    busy = bool(st.session_state.get("run-under-way"))
    st.fragment(_now, run_every=POLL_SECONDS if busy else IDLE_SECONDS)()
    with news:  # not before: what is found above may draw the page anew
        show_noted(SLOT)
    _switch(automation)
    runs, releases, incidents, over_time = st.tabs(PARTS, key="improvement-part", on_change="rerun")
    with runs:
        if runs.open:
            st.fragment(run_list, run_every=POLL_SECONDS if busy else None)()
    with releases:
        if releases.open:
            release_list()
    with incidents:
        if incidents.open:
            incident_list()
    with over_time:
        if over_time.open:
            quality()


def _now() -> None:
    """What answers, what is tried, what is being made; asks for a quicker pace while a run is under way."""
    found = attempt(improvement().releases, limit=MOST_RELEASES)
    if isinstance(found, Trouble):
        show_trouble(found, key="now")
        return
    with st.container(key="now-cards", horizontal=True, gap="small"):
        _champion(alias_holder(found.releases, "champion"))
        _challenger(alias_holder(found.releases, "challenger"))
    newest = attempt(improvement().runs, limit=1)
    run = newest.runs[0] if not isinstance(newest, Trouble) and newest.runs else None
    _set_pace(run is not None and run.under_way)
    if run is not None and run.under_way:
        st.markdown(f"{run_badge(run).markdown} **{label(short(run.id))}** :gray[{label(place(run))}]")


def _champion(champion: Release | None) -> None:
    with st.container(key="now-champion", border=True, gap="xxsmall"):
        st.caption("Answers now", help="The champion: the release whose model writes the answers.")
        if champion is None:
            st.markdown("Nothing has answered yet.")
            return
        st.markdown(f"**{label(short(champion.id))}**")
        st.caption(label(f"{_since(champion)} · {votes(champion.votes)}"))


def _since(champion: Release) -> str:
    """Since when it answers, as far as is known: its history has the moment it was promoted."""
    now = datetime.now(UTC)
    known = attempt(improvement().release, champion.id)
    history = [] if isinstance(known, Trouble) else known.history
    promoted = [change.at for change in history if change.after == "champion"]
    if promoted:
        return f"promoted {ago(promoted[-1], now)}"
    return f"first seen {ago(champion.first_seen, now)}" if champion.first_seen else "from the beginning"


def _challenger(challenger: Release | None) -> None:
    with st.container(key="now-challenger", border=True, gap="xxsmall"):
        st.caption("Being tried", help="The challenger: it answers a share of the conversations and is watched.")
        if challenger is None:
            st.markdown("Nothing at the moment.")
            st.caption("A release that a run makes is tried on a few conversations first.")
            return
        st.markdown(f"**{label(short(challenger.id))}**")
        st.caption(label(f"{percent(challenger.share)} of the conversations · {votes(challenger.votes)}"))


def _set_pace(busy: bool) -> None:
    if busy != bool(st.session_state.get("run-under-way")):
        st.session_state["run-under-way"] = busy
        st.rerun()


def _switch(automation: Automation | Trouble) -> None:
    with st.container(key="automation", border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap="xxsmall", width="stretch"):
            st.caption("Automatic runs", help="Whether an alert about bad answers starts a run by itself.")
            if isinstance(automation, Trouble):
                show_trouble(automation, key="automation")
            else:
                _switch_state(automation)
        if not isinstance(automation, Trouble) and st.button(
            "Go on" if automation.paused else "Pause",
            key="switch-automation",
            icon=":material/play_arrow:" if automation.paused else ":material/pause:",
        ):
            _turn(paused=not automation.paused)
        if st.button("Start a run", key="start-run", type="primary", icon=":material/model_training:"):
            _start()


def _switch_state(automation: Automation) -> None:
    word = "Paused" if automation.paused else "On"
    icon = "pause_circle" if automation.paused else "check_circle"
    st.markdown(f"**:material/{icon}: {word}**")
    if automation.by:
        since = f"by {automation.by}, {ago(automation.changed_at, datetime.now(UTC))}"
        st.caption(label(f"{since}: {automation.reason}" if automation.reason else since))
    elif not automation.paused:
        st.caption("An alert about bad answers starts a run by itself.")


def _turn(*, paused: bool) -> None:
    if paused:
        title, yes = "Pause automatic runs?", "Pause"
        says = "No alert starts a run until somebody lets them go on. A run that is under way ends as usual."
    else:
        title, yes = "Let alerts start runs again?", "Go on"
        says = "An alert about bad answers will start a run by itself, at most one at a time."

    def act(reason: str | None) -> Trouble | str:
        outcome = attempt(improvement().set_automation, paused=paused, reason=reason)
        if isinstance(outcome, Trouble):
            return outcome
        return "Automatic runs are paused." if outcome.paused else "Automatic runs go on."

    icon = ":material/pause:" if paused else ":material/play_arrow:"
    ask_first("automation", title, says, yes=yes, icon=icon, act=act)


def _start() -> None:
    says = (
        "It gathers votes and corrections, trains, compares the new model with the one that answers now, and tries it "
        "on a few conversations. What answers only changes when the new one is better. It may take hours."
    )
    ask_first("run", "Start a run?", says, yes="Start", icon=":material/model_training:", act=_started)


def _started(reason: str | None) -> Trouble | str:
    outcome = attempt(improvement().start_run, reason)
    if isinstance(outcome, Trouble):
        return outcome
    return f"The run {label(short(outcome.id))} is started; it is listed under Runs."
