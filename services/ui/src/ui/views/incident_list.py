"""The incidents: alerts that fired, and what was done about each."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from ui.improvement import Incident
from ui.improvement_words import DECISIONS, OUTCOMES, firing, known, short
from ui.safe_text import label
from ui.session import attempt, improvement, show_trouble
from ui.views.run_list import open_run
from ui.wording import Trouble, ago, counted

INCIDENTS = 20
MOST_INCIDENTS = 1000
NO_INCIDENT = (
    "No incident yet. Alerts watch how people vote, how often answers fail and how well they are backed by the "
    "documents; when one fires it is listed here with what was decided about it."
)


def incident_list() -> None:
    """Draw the list."""
    limit = int(st.session_state.get("incidents-shown") or INCIDENTS)
    found = attempt(improvement().incidents, limit=limit)
    if isinstance(found, Trouble):
        show_trouble(found, key="incidents")
        return
    if not found.incidents:
        st.caption(NO_INCIDENT)
    for incident in _wanted_first(found.incidents):
        _row(incident)
    if found.next_cursor is not None and limit < MOST_INCIDENTS:
        st.button("Show older incidents", key="older-incidents", type="tertiary", on_click=_show_older, args=(limit,))


def _wanted_first(incidents: Sequence[Incident]) -> list[Incident]:
    """The one that somebody followed a link to comes first."""
    wanted = st.session_state.pop("incident-wanted", None)
    if wanted is not None and all(one.id != wanted for one in incidents):
        st.caption(f"The incident {label(short(str(wanted)))} is older than those shown here.")
    return sorted(incidents, key=lambda one: one.id != wanted)


def _show_older(limit: int) -> None:
    st.session_state["incidents-shown"] = min(limit * 2, MOST_INCIDENTS)


def _row(incident: Incident) -> None:
    decision = known(DECISIONS, incident.decision)
    with st.container(key=f"incident-{incident.id}", border=True, gap="xxsmall"):
        st.markdown(f"**{label(incident.alertname or 'An alert without a name')}** {firing(incident).markdown}")
        st.caption(label(_facts(incident)))
        if summary := incident.annotations.get("summary"):
            st.markdown(label(summary))
        st.markdown(f"{decision.markdown} {label(incident.reason)}")
        if incident.run:
            ended = f": {known(OUTCOMES, incident.run_outcome).word.lower()}" if incident.run_outcome else ""
            st.button(
                label(f"Run {short(incident.run)}{ended}"),
                key=f"run-of-{incident.id}",
                icon=":material/model_training:",
                type="tertiary",
                on_click=open_run,
                args=(incident.run,),
            )


def _facts(incident: Incident) -> str:
    now = datetime.now(UTC)
    facts = [f"began {ago(incident.starts_at, now)}"]
    if incident.ends_at is not None:
        facts.append(f"ended {ago(incident.ends_at, now)}")
    if incident.severity:
        facts.append(f"severity {incident.severity}")
    facts.append(counted(incident.messages, "message"))
    return " · ".join(facts)
