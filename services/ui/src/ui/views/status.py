"""The Status page: how every part of the stack is, and what an operator may do about it."""

from collections.abc import Mapping

import streamlit as st

from ui.catalogue import counts
from ui.models import DeadLetter, ServiceState
from ui.safe_text import label
from ui.session import attempt, gateway, settings, show_noted, show_trouble, went_well
from ui.views.document_list import MOST_LISTED, fetch_documents
from ui.wording import SERVICES, Trouble, counted

POLL_SECONDS = 5.0
COUNT_SECONDS = 30.0
STATES = {
    "ready": ("green", ":material/check:", "Ready"),
    "degraded": ("orange", ":material/warning:", "Degraded"),
    "unavailable": ("red", ":material/error:", "Unavailable"),
}
HEADLINES = {
    "ready": "Everything is running.",
    "degraded": "Running, with something amiss.",
    "unavailable": "A part is down. It recovers by itself when what it needs is back.",
}


def page() -> None:
    """Draw the page."""
    st.title("Status", anchor=False)
    st.fragment(_services, run_every=POLL_SECONDS)()
    st.fragment(_documents, run_every=COUNT_SECONDS)()
    st.fragment(_dead_letters, run_every=COUNT_SECONDS)()
    _links()


def _services() -> None:
    state = attempt(gateway().status)
    if isinstance(state, Trouble):
        show_trouble(state, key="status")
        return
    st.markdown(HEADLINES.get(state.status, label(state.status)))
    with st.container(key="services", horizontal=True, gap="small"):
        for name, service in state.services.items():
            _service(name, service)


def _service(name: str, state: ServiceState) -> None:
    color, icon, word = STATES.get(state.status, ("gray", ":material/help:", state.status))
    with st.container(key=f"service-{name}", border=True, gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{label(name)}**", width="stretch")
            st.badge(word, icon=icon, color=color)  # type: ignore[arg-type]
        st.caption(SERVICES.get(name, ""))
        _checks(state.checks)


def _checks(checks: Mapping[str, str]) -> None:
    well = [name for name, verdict in checks.items() if verdict == "ok"]
    if well:
        st.caption(f":green[:material/check:] {label(', '.join(well))}")
    for name, verdict in checks.items():
        if verdict != "ok":
            st.caption(f":red[:material/close: {label(name)}] {label(verdict)}")


def _documents() -> None:
    st.subheader("Documents", anchor=False)
    bases = attempt(gateway().knowledge_bases)
    if isinstance(bases, Trouble):
        show_trouble(bases, key="status-documents")
        return
    if not bases:
        st.caption("No documents yet.")
    for base in bases:
        found = attempt(fetch_documents, base.name)
        if isinstance(found, Trouble):
            show_trouble(found, key=f"status-{base.name}")
            return
        documents, complete = found
        number = counts(documents)
        with st.container(key=f"base-{base.name}", horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{label(base.name)}**", width="stretch")
            if not complete:
                st.caption(f"more than {counted(MOST_LISTED, 'document')}, of the first:")
            st.badge(f"{number['Indexed']:,} indexed", color="green")
            if number["In progress"]:
                st.badge(f"{number['In progress']:,} in progress", color="blue")
            if number["Failed"]:
                st.badge(f"{number['Failed']:,} failed", color="red")


def _dead_letters() -> None:
    st.subheader("Dead letters", anchor=False)
    show_noted("replay")
    letters = attempt(gateway().dead_letters)
    if isinstance(letters, Trouble):
        show_trouble(letters, key="dead-letters")
        return
    if not letters:
        st.caption("None. A document that fails three times would wait here with its reason.")
    for letter in letters:
        _dead_letter(letter)


def _dead_letter(letter: DeadLetter) -> None:
    with st.container(key=f"letter-{letter.id}", border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None, width="stretch"):
            st.markdown(f"**{label(letter.document)}** :gray[:small[{label(letter.knowledge_base)}]]")
            st.caption(label(letter.reason))
        st.button("Try again", key=f"replay-{letter.id}", icon=":material/replay:", on_click=_replay, args=(letter,))


def _replay(letter: DeadLetter) -> None:
    if went_well(attempt(gateway().replay, letter.id), slot="replay"):
        st.toast(f"{label(letter.document)} is queued again.", icon=":material/replay:")


def _links() -> None:
    st.subheader("Elsewhere", anchor=False)
    with st.container(key="links", horizontal=True, gap="small"):
        for name, url in settings().links().items():
            st.link_button(name, url, icon=":material/open_in_new:", icon_position="right")
