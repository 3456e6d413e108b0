"""The releases: what each does, is made of and has been through, and the ways to change what answers."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st
from pydantic import ValidationError

from ui.improvement import Change, Release, Verdict
from ui.improvement_words import PARTS, STATES, STATES_EXPLAINED, known, release_badge, rollback_means, short, votes
from ui.safe_text import label
from ui.session import attempt, improvement, show_trouble
from ui.tables import pairs, table
from ui.views.confirming import ask_first
from ui.views.run_list import open_run
from ui.views.verdict import show_verdict
from ui.wording import Trouble, ago, date_and_time

MOST_RELEASES = 200
NO_RELEASE = "No release is known yet. Ask something on the Chat page: the release that answers is listed here."
NOTHING_BEFORE = "The first release answers and nothing is being tried, so there is nothing to go back from."


def release_list() -> None:
    """Draw the list."""
    found = attempt(improvement().releases, limit=MOST_RELEASES)
    if isinstance(found, Trouble):
        show_trouble(found, key="releases")
        return
    if not found.releases:
        st.caption(NO_RELEASE)
        return
    _rollback(found.releases)
    for release in found.releases:
        _row(release)
    if found.next_cursor is not None:
        st.caption(f"The newest {MOST_RELEASES} are shown.")


def _rollback(releases: list[Release]) -> None:
    means = rollback_means(releases)
    with st.container(key="rollback-row", horizontal=True, vertical_alignment="center"):
        st.caption("A release is a model with its settings; the newest is first.", width="stretch")
        if st.button(
            "Roll back", key="roll-back", icon=":material/undo:", disabled=means is None, help=means or NOTHING_BEFORE
        ):
            ask_first("rollback", "Roll back?", str(means), yes="Roll back", icon=":material/undo:", act=_rolled_back)


def _rolled_back(reason: str | None) -> Trouble | str:
    outcome = attempt(improvement().roll_back, reason)
    return outcome if isinstance(outcome, Trouble) else f"**{label(short(outcome.id))}** answers now."


def _row(release: Release) -> None:
    seen = ago(release.first_seen, datetime.now(UTC))
    facts = " · ".join(part for part in (votes(release.votes), seen) if part)
    name = f"{release_badge(release).markdown}\u2002**{label(short(release.id))}**\u2002:gray[:small[{label(facts)}]]"
    opened = st.expander(name, key=f"release-{release.id}", on_change="rerun")
    with opened:
        if opened.open:
            _details(release)


def _details(release: Release) -> None:
    found = attempt(improvement().release, release.id)
    if isinstance(found, Trouble):
        show_trouble(found, key=f"release-{release.id}")
        return
    st.markdown(STATES_EXPLAINED.get(found.alias or found.state, ""))
    st.caption(label(_facts(found)))
    with st.container(key=f"release-actions-{release.id}", horizontal=True):
        if found.promotable and st.button("Promote", key=f"promote-{found.id}", icon=":material/arrow_upward:"):
            _promote(found)
        if found.run:
            st.button(
                "The run that made it",
                key=f"run-of-{found.id}",
                icon=":material/model_training:",
                type="tertiary",
                on_click=open_run,
                args=(found.run,),
            )
    _history(found.history)
    _made_of(found)


def _facts(release: Release) -> str:
    facts = [release.id]
    if release.first_seen:
        facts.append(f"first seen {date_and_time(release.first_seen)}")
    if release.last_seen:
        facts.append(f"last seen {date_and_time(release.last_seen)}")
    return " · ".join(facts)


def _promote(release: Release) -> None:
    name = label(short(release.id))
    says = (
        f"**{name}** is loaded and answers every conversation from then on, within seconds and without being tried "
        "on a few first. What answers now is kept and may come back; one that is being tried is withdrawn for good."
    )

    def act(reason: str | None) -> Trouble | str:
        outcome = attempt(improvement().promote, release.id, reason)
        return outcome if isinstance(outcome, Trouble) else f"**{label(short(outcome.id))}** answers now."

    ask_first(
        f"promote-{release.id}", "Promote this release?", says, yes="Promote", icon=":material/arrow_upward:", act=act
    )


def _history(history: Sequence[Change]) -> None:
    if not history:
        st.caption("Nobody has changed anything about it yet.")
        return
    rows = [
        [date_and_time(one.at), f"{known(STATES, one.before).word} → {known(STATES, one.after).word}", one.who, one.why]
        for one in history
    ]
    st.markdown("**History**")
    st.html(table("Who did what with this release, and why", ("When", "Change", "By", "Why"), rows))


def _made_of(release: Release) -> None:
    parts = {name: value for name, value in (release.parts or {}).items() if name != "verdict"}
    told = [(PARTS.get(name, name), value) for name, value in parts.items() if isinstance(value, str) and value]
    if told:
        st.markdown("**What it is made of**")
        st.caption("Fingerprints: the same parts have the same one on every machine.")
        st.html(pairs(told))
    settings = release.settings or {name: value for name, value in parts.items() if isinstance(value, dict)}
    if settings:
        st.markdown("**Settings**")
        st.code(json.dumps(settings, indent=2, ensure_ascii=False), language="json", wrap_lines=True)
    judged = _verdict(release)
    if judged is not None:
        st.markdown("**How it was judged**")
        show_verdict(judged, key=f"of-{release.id}")


def _verdict(release: Release) -> Verdict | None:
    try:
        return Verdict.model_validate((release.parts or {}).get("verdict"))
    except ValidationError:
        return None
