"""Asking before something is done, and for what reason."""

from collections.abc import Callable

import streamlit as st

from ui.session import note
from ui.wording import Trouble

SLOT = "improvement"
"""Where the page shows what came of it."""
LONGEST_REASON = 500
Act = Callable[[str | None], Trouble | str]


def ask_first(key: str, title: str, explanation: str, *, yes: str, icon: str, act: Act) -> None:
    """Open a dialog that says what will happen and asks for a reason. `act` is given the reason and does it; what it
    returns is shown on the page. Explanation and news are markdown, with everything foreign in it escaped."""

    def body() -> None:
        st.markdown(explanation)
        with st.form(f"form-{key}", border=False, enter_to_submit=False):
            st.text_input(
                "Reason (optional)",
                key=f"reason-{key}",
                max_chars=LONGEST_REASON,
                placeholder="For whoever wonders later",
            )
            with st.container(key=f"answers-{key}", horizontal=True, horizontal_alignment="right"):
                left = st.form_submit_button("Leave it", key=f"leave-{key}")
                confirmed = st.form_submit_button(
                    yes, key=f"confirm-{key}", type="primary", icon=icon, on_click=_do, args=(key, act)
                )
        if left or confirmed:
            st.rerun()  # closes the dialog

    st.dialog(title, icon=icon)(body)()


def _do(key: str, act: Act) -> None:
    reason = str(st.session_state.get(f"reason-{key}") or "").strip()
    note(act(reason or None), slot=SLOT)
