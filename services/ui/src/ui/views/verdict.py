"""The gate's verdict, as a table and a chart."""

import streamlit as st

from ui import verdict as told
from ui.improvement import Verdict
from ui.safe_text import label


def show_verdict(verdict: Verdict, *, key: str) -> None:
    """What was decided, and by which numbers."""
    rows = told.rows(verdict)
    with st.container(key=f"verdict-{key}", gap="small"):
        icon = "check_circle" if verdict.decision == "promote" else "block"
        st.markdown(f":material/{icon}: **{label(told.headline(verdict))}**")
        if not rows:
            return
        st.html(told.as_html(rows))
        chart = told.chart(verdict)
        if chart is not None:
            st.vega_lite_chart(spec=chart, key=f"differences-{key}", alt=told.spoken(rows))
        st.caption(told.NOTE)
