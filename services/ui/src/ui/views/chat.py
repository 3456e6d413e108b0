"""The Chat page: ask, read the answer as it comes, look at its sources."""

import time
from collections.abc import Sequence
from contextlib import closing

import streamlit as st

from ui import metrics
from ui.conversation import Conversation, Turn
from ui.errors import GatewayError
from ui.models import Delta, Finished, KnowledgeBase
from ui.safe_text import label, safe_markdown
from ui.session import (
    attempt,
    base_names,
    choose_base,
    chosen_base,
    conversation,
    gateway,
    go_to,
    show_trouble,
    start_over,
)
from ui.suggestions import suggested_questions
from ui.views.answer import answer_footer, answer_text
from ui.wording import Trouble, explained

PLACEHOLDER = "Ask a question about your documents"
MAX_QUESTION = 8000
REDRAW_SECONDS = 0.05
SUGGESTION_QUERIES = ("How to install, configure or set up", "What is the purpose, the definition, an overview")


def page() -> None:
    """Draw the page."""
    typed = st.chat_input(PLACEHOLDER, key="question", max_chars=MAX_QUESTION)
    suggested = st.session_state.pop("suggested_question", None)
    chat = conversation()
    if question := (typed or suggested or "").strip():
        chat.ask(question)
    bases = attempt(gateway().knowledge_bases)
    _toolbar(chat, bases)
    # A place of its own: emptied at once with the first question, instead of fading behind the answer.
    welcome = st.empty()
    if not chat.turns:
        with welcome.container():
            _welcome(bases)
    for turn in chat.turns:
        _show_turn(turn, chat)


def _toolbar(chat: Conversation, bases: Sequence[KnowledgeBase] | Trouble) -> None:
    names = base_names([] if isinstance(bases, Trouble) else list(bases))
    with st.container(key="chat-toolbar", horizontal=True, vertical_alignment="center"):
        st.selectbox(
            "Knowledge base",
            names,
            index=names.index(chosen_base()),
            key="chat-knowledge-base",
            on_change=lambda: choose_base(st.session_state["chat-knowledge-base"]),
            label_visibility="collapsed",
            icon=":material/library_books:",
            width=220,
        )
        st.button(
            "New conversation",
            key="new-conversation",
            icon=":material/edit_square:",
            type="tertiary",
            disabled=not chat.turns,
            on_click=start_over,
        )


def _welcome(bases: Sequence[KnowledgeBase] | Trouble) -> None:
    if isinstance(bases, Trouble):
        show_trouble(bases, key="welcome")
        return
    documents = sum(base.documents for base in bases if base.name == chosen_base())
    with st.container(key="welcome", gap="small"):
        st.title("Ask your documents", anchor=False)
        if not documents:
            st.markdown(
                f"There is nothing in **{label(chosen_base())}** yet. Add a few documents, and every answer "
                "will come with the passage it was taken from."
            )
            if st.button("Add documents", key="add-documents", type="primary", icon=":material/upload_file:"):
                go_to("documents")
            return
        st.markdown("Every answer quotes the passage it rests on, so you can check it.")
        _suggestions()


def _suggestions() -> None:
    for position, question in enumerate(_questions_for(chosen_base())):
        if st.button(
            label(question), key=f"suggestion-{position}", icon=":material/north_east:", icon_position="right"
        ):
            st.session_state["suggested_question"] = question
            st.rerun()


def _questions_for(base: str) -> list[str]:
    """Questions whose answers are in the documents; looked up once a visit, and none when that fails."""
    known: dict[str, list[str]] = st.session_state.setdefault("suggestions", {})
    if base not in known:
        try:
            found = [gateway().search(query, knowledge_base=base, top_k=12) for query in SUGGESTION_QUERIES]
        except GatewayError:
            return []
        known[base] = suggested_questions(hit.text for pair in zip(*found, strict=False) for hit in pair)
    return known[base]


def _show_turn(turn: Turn, chat: Conversation) -> None:
    with st.container(key=f"turn-{turn.number}", gap="small"):
        with st.chat_message("user"):
            st.text(turn.question)
        with st.chat_message("assistant"):
            words, stop = st.empty(), st.empty()
            if turn.state == "asking":
                _listen(turn, chat, words, stop)
            answer_text(turn, words)
            answer_footer(turn.number)


def _listen(
    turn: Turn,
    chat: Conversation,
    words: "st.delta_generator.DeltaGenerator",
    stop: "st.delta_generator.DeltaGenerator",
) -> None:
    """Show the answer as it comes. Leaving early, by the Stop button or otherwise, cancels it all the way down."""
    stop.button("Stop", key=f"stop-{turn.number}", icon=":material/stop_circle:", type="tertiary")
    started, drawn = time.perf_counter(), 0.0
    try:
        with closing(gateway().ask(turn.question, knowledge_base=chosen_base(), conversation_id=chat.id)) as events:
            for event in events:
                now = time.perf_counter()
                match event:
                    case Delta(text):
                        turn.hear(text, after=now - started)
                    case Finished():
                        turn.finish(event, after=now - started)
                        chat.id = event.conversation_id or chat.id
                        continue
                if now - drawn >= REDRAW_SECONDS:  # every drawing is also where a wish to stop is noticed
                    words.markdown(_so_far(turn), anchors=False)
                    drawn = now
    except GatewayError as exc:
        turn.fail(explained(exc))
    finally:
        turn.stop()
        _count(turn)
    stop.empty()


def _so_far(turn: Turn) -> str:
    return safe_markdown(turn.text) if turn.text else ":gray[Looking through the documents …]"


def _count(turn: Turn) -> None:
    metrics.QUESTIONS.labels(turn.state).inc()
    if turn.first_words_seconds is not None:
        metrics.FIRST_WORDS.observe(turn.first_words_seconds)
    if turn.seconds is not None:
        metrics.WHOLE_ANSWER.observe(turn.seconds)
