"""What stands under and around an answer: its words, its sources, its vote, its figures."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui import metrics
from ui.conversation import Turn
from ui.errors import GatewayError
from ui.models import Citation, Rating
from ui.safe_text import highlighted, label, locate, reflowed, safe_markdown
from ui.session import attempt, chosen_base, conversation, gateway, go_to, show_noted, show_trouble, went_well
from ui.views.viewer import open_document
from ui.wording import duration, source_name, source_place

RATINGS: tuple[Rating, Rating] = ("down", "up")
"""In the order of st.feedback's thumbs."""
MAX_REMARK = 4000
PASSAGES_TO_SEARCH = 5


def answer_text(turn: Turn, words: DeltaGenerator) -> None:
    """The words of a turn that waits for nothing more."""
    numbers = frozenset(citation.index for citation in turn.citations)
    if turn.text:
        words.markdown(safe_markdown(turn.text, citations=numbers), anchors=False)
    elif turn.state == "stopped":
        words.markdown(":gray[Stopped before the first word.]")
    else:
        words.empty()


@st.fragment
def answer_footer(number: int) -> None:
    """All that stands under the words. A fragment: opening a source or voting redraws nothing else."""
    turn = conversation().turn(number)
    if turn is None:
        return
    if turn.state in ("failed", "stopped"):
        _unfinished(turn)
        return
    if turn.state == "abstained":
        _nothing_found(turn)
    if turn.citations:
        _sources(turn)
    if turn.answer_id:
        _vote(turn)


def _unfinished(turn: Turn) -> None:
    if turn.trouble:
        show_trouble(turn.trouble, key=f"turn-{turn.number}")
    elif turn.text:
        st.caption("Stopped. What had come so far stays.")
    if st.button("Ask again", key=f"again-{turn.number}", icon=":material/replay:", type="tertiary"):
        conversation().ask_again(turn.number)
        st.rerun()


def _nothing_found(turn: Turn) -> None:
    with st.container(key=f"abstained-{turn.number}", gap="xsmall"):
        st.markdown(
            f":gray[Nothing in the documents of **{label(chosen_base())}** answers this, so nothing is quoted. "
            "Try other words, or add a document that says it.]"
        )
        if st.button("Add documents", key=f"add-{turn.number}", icon=":material/upload_file:", type="tertiary"):
            go_to("documents")


def _sources(turn: Turn) -> None:
    with st.container(key=f"sources-{turn.number}", gap="xxsmall"):
        st.caption("Source" if len(turn.citations) == 1 else "Sources")
        for position, citation in enumerate(turn.citations):
            place = source_place(citation)
            name = source_name(citation)
            opened = st.expander(
                f"**{citation.index}**\u2002{label(name)}\u2002:gray[:small[{label(place)}]]",
                key=f"source-{turn.number}-{position}",
                on_change="rerun",
            )
            with opened:
                if opened.open:
                    _passage(turn, position, citation)


def _passage(turn: Turn, position: int, citation: Citation) -> None:
    if position not in turn.passages:
        turn.passages[position] = _surroundings(citation)
    st.html(
        f'<blockquote class="passage">{highlighted(reflowed(turn.passages[position]), citation.quote)}</blockquote>'
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Open document", key=f"open-{turn.number}-{position}", icon=":material/article:", type="tertiary"):
            open_document(citation.document, knowledge_base=chosen_base(), quote=citation.quote)


def _surroundings(citation: Citation) -> str:
    """The whole passage the quote stands in, or the quote alone when it cannot be found again."""
    try:
        hits = gateway().search(citation.quote[:2000], knowledge_base=chosen_base(), top_k=PASSAGES_TO_SEARCH)
    except GatewayError:
        return citation.quote
    same = (hit for hit in hits if hit.chunk_id == citation.chunk_id and hit.document == citation.document)
    return next((hit.text for hit in same if locate(hit.text, citation.quote)), citation.quote)


def _vote(turn: Turn) -> None:
    with st.container(key=f"vote-row-{turn.number}", horizontal=True, vertical_alignment="center", gap="small"):
        st.feedback(
            "thumbs",
            key=f"vote-{turn.number}",
            default=RATINGS.index(turn.rating) if turn.rating else None,
            on_change=_send_vote,
            args=(turn.number,),
        )
        st.caption(_figures(turn), help=_details(turn))
    show_noted(f"vote-{turn.number}")
    if turn.rating:
        _remark(turn, turn.rating)


def _send_vote(number: int) -> None:
    turn = conversation().turn(number)
    pressed = st.session_state.get(f"vote-{number}")
    if turn is None:
        return
    # Pressed twice, a thumb lets go; but a vote can only be changed, not taken back, so it stays.
    if pressed is not None:
        rating = RATINGS[pressed]
        if went_well(attempt(gateway().vote, turn.answer_id, rating), slot=f"vote-{number}"):
            metrics.VOTES.labels(rating).inc()
            turn.rating, turn.remark_sent = rating, False
    st.session_state[f"vote-{number}"] = RATINGS.index(turn.rating) if turn.rating else None


def _remark(turn: Turn, rating: Rating) -> None:
    if turn.remark_sent:
        st.caption(":material/check: Thank you, that is kept with the answer.")
        return
    with (
        st.expander(
            "Thank you. Anything to add?" if rating == "up" else "What would have been right?",
            key=f"remark-{turn.number}-{rating}",
            expanded=rating == "down",
        ),
        st.form(f"remark-form-{turn.number}", border=False),
    ):
        if rating == "down":
            st.text_area(
                "The right answer (optional)", key=f"correction-{turn.number}", max_chars=MAX_REMARK, height=80
            )
        st.text_input("Comment (optional)", key=f"comment-{turn.number}", max_chars=MAX_REMARK)
        st.form_submit_button(
            "Send", key=f"send-remark-{turn.number}", on_click=_send_remark, args=(turn.number, rating)
        )


def _send_remark(number: int, rating: Rating) -> None:
    turn = conversation().turn(number)
    comment = str(st.session_state.get(f"comment-{number}") or "").strip()
    correction = str(st.session_state.get(f"correction-{number}") or "").strip() if rating == "down" else ""
    if turn is None or not (comment or correction):
        return
    outcome = attempt(gateway().vote, turn.answer_id, rating, comment=comment or None, correction=correction or None)
    turn.remark_sent = went_well(outcome, slot=f"vote-{number}")


def _figures(turn: Turn) -> str:
    parts = [duration(turn.seconds)] if turn.seconds is not None else []
    if turn.release:
        parts.append(turn.release)
    return label(" · ".join(parts))


def _details(turn: Turn) -> str:
    lines = [f"Answer `{turn.answer_id}`"]
    if turn.first_words_seconds is not None:
        lines.append(f"First words after {duration(turn.first_words_seconds)}")
    lines += [f"{label(str(name))}: {label(_figure(value))}" for name, value in turn.timings.items()]
    return "  \n".join(lines)


def _figure(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
