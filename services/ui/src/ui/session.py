"""What one visitor's session holds, and whom it talks to."""

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ui.api import GatewayClient
from ui.conversation import Conversation
from ui.errors import GatewayError
from ui.improvement_api import ImprovementClient
from ui.models import KnowledgeBase
from ui.ports import Figures, Gateway, Improvement
from ui.prometheus import PrometheusReader
from ui.safe_text import label
from ui.settings import Settings, read_settings
from ui.wording import Trouble, explained

DEFAULT_BASE = "default"
Result = TypeVar("Result")


@st.cache_resource
def settings() -> Settings:
    """The process's settings, read once."""
    return read_settings()


@st.cache_resource
def _client() -> GatewayClient:
    return GatewayClient(str(settings().url), settings().api_key.get_secret_value())


def gateway() -> Gateway:
    """The gateway: one client for the whole process, or the one a test has put into the session."""
    given: Gateway | None = st.session_state.get("gateway")
    return given if given is not None else _client()


@st.cache_resource
def _improvement_client() -> ImprovementClient:
    return ImprovementClient(str(settings().url), settings().api_key.get_secret_value())


def improvement() -> Improvement:
    """The gateway as operators use it, or what a test has put into the session."""
    given: Improvement | None = st.session_state.get("improvement")
    return given if given is not None else _improvement_client()


@st.cache_resource
def _prometheus() -> PrometheusReader | None:
    url = settings().prometheus_url
    return PrometheusReader(str(url)) if url else None


def figures() -> Figures | None:
    """Prometheus, or what a test has put into the session; None where none is set."""
    given: Figures | None = st.session_state.get("figures")
    return given if given is not None else _prometheus()


def conversation() -> Conversation:
    """The visitor's conversation."""
    chat: Conversation = st.session_state.setdefault("conversation", Conversation())
    return chat


def start_over() -> None:
    """Begin a new conversation."""
    st.session_state["conversation"] = Conversation()


def chosen_base() -> str:
    """The knowledge base the visitor works in."""
    return str(st.session_state.setdefault("knowledge_base", DEFAULT_BASE))


def choose_base(name: str) -> None:
    """Work in another knowledge base; a conversation does not cross over."""
    if name != chosen_base():
        st.session_state["knowledge_base"] = name
        start_over()


def base_names(bases: list[KnowledgeBase]) -> list[str]:
    """The names to choose from; the chosen one is always there, even before its first document."""
    return sorted({base.name for base in bases} | {chosen_base()})


def go_to(name: str) -> None:
    """Turn to a page by its name in the bar: `chat`, `documents`, …"""
    pages: dict[str, StreamlitPage] = st.session_state.get("pages", {})
    if name in pages:
        st.switch_page(pages[name])


def attempt(call: Callable[..., Result], *args: Any, **options: Any) -> Result | Trouble:
    """The result of a call to the gateway, or what went wrong in words."""
    try:
        return call(*args, **options)
    except GatewayError as exc:
        return explained(exc)


def went_well(outcome: object, *, slot: str) -> bool:
    """Whether a call made in a callback went well. Trouble is kept under `slot` until `show_noted` draws it, because
    a callback runs before the page and has no place to write to."""
    if isinstance(outcome, Trouble):
        st.session_state[f"noted-{slot}"] = outcome
        return False
    return True


def show_noted(slot: str) -> None:
    """Show, once, the trouble a callback has kept, or the good news."""
    noted = st.session_state.pop(f"noted-{slot}", None)
    if isinstance(noted, Trouble):
        show_trouble(noted, key=slot)
    elif isinstance(noted, str):
        with st.container(key=f"news-{slot}"):
            st.markdown(f":material/check: {noted}")


def note(outcome: Trouble | str, *, slot: str) -> None:
    """Keep trouble or good news, which is markdown, until `show_noted` draws it."""
    st.session_state[f"noted-{slot}"] = outcome


def show_trouble(trouble: Trouble, *, key: str) -> None:
    """Say calmly what went wrong and what to do."""
    with st.container(key=f"trouble-{key}", gap="xxsmall"):
        st.markdown(f":material/info: **{label(trouble.title)}**")
        st.markdown(trouble.advice.replace("<", "&lt;"))
