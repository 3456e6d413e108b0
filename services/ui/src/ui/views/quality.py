"""Quality over time by release, drawn from Prometheus where there is one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from ui.errors import FiguresAway
from ui.improvement import Release
from ui.ports import Figures
from ui.quality import QUESTIONS, SPANS, Mark, Question, chart, marks, spoken, step_of
from ui.safe_text import label
from ui.session import attempt, figures, improvement
from ui.views.release_list import MOST_RELEASES
from ui.wording import Trouble

REDRAW_SECONDS = 60.0
MOST_HISTORIES = 12
NOT_SET = "Charts over time need Prometheus: set NEXUS_PROMETHEUS_URL for this chatbot to have them."
NOTHING = "Nothing in this time."


def quality() -> None:
    """Draw the charts, and draw them anew every minute."""
    source = figures()
    if source is None:
        st.caption(NOT_SET)
        return
    st.segmented_control(
        "Time", list(SPANS), default="6 hours", required=True, key="quality-span", label_visibility="collapsed"
    )
    st.fragment(_charts, run_every=REDRAW_SECONDS)(source)


def _charts(source: Figures) -> None:
    span = SPANS[str(st.session_state.get("quality-span") or "6 hours")]
    seen = _marks()
    for question in QUESTIONS:
        with st.container(key=f"quality-{question.key}", gap="xsmall"):
            try:
                _chart(source, question, span=span, seen=seen)
            except FiguresAway as exc:
                st.caption(label(f"No charts just now: {exc} Everything else on this page works without it."))
                return


def _chart(source: Figures, question: Question, *, span: timedelta, seen: Sequence[Mark]) -> None:
    end, step = datetime.now(UTC), step_of(span)
    series = source.over_time(question.query, start=end - span, end=end, step=step)
    st.markdown(f"**{question.title}**")
    st.caption(question.meaning)
    drawn = [one for one in series if one.points]
    if not drawn:
        st.caption(NOTHING)
        return
    spec = chart(drawn, seen, start=end - span, end=end, step=step)
    st.vega_lite_chart(spec=spec, key=f"chart-{question.key}", alt=spoken(question, drawn))


def _marks() -> list[Mark]:
    """When which release began to answer; none while the releases cannot be read."""
    found = attempt(improvement().releases, limit=MOST_RELEASES)
    if isinstance(found, Trouble):
        return []
    served = [one.id for one in found.releases if one.state in ("champion", "retired")][:MOST_HISTORIES]
    known = [attempt(improvement().release, name) for name in served]
    return marks(one for one in known if isinstance(one, Release))
