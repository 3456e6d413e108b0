"""Looking at a document without leaving the page."""

import streamlit as st

from ui.models import Content
from ui.safe_text import highlighted, label, reflowed, window
from ui.session import attempt, gateway, show_trouble
from ui.wording import Trouble, file_name

SHOWN_CHARACTERS = 20_000
READABLE = frozenset("md markdown txt text rst csv tsv json jsonl yaml yml toml xml log html htm".split())


@st.dialog("Document", width="medium", icon=":material/article:")
def open_document(key: str, *, knowledge_base: str, quote: str = "") -> None:
    """Show a document's text with the quote marked in it, or offer the file when it is not plain text."""
    found = attempt(gateway().content, key, knowledge_base=knowledge_base)
    with st.container(key="document-viewer", gap="small"):
        st.markdown(f"**{label(file_name(key))}**  :gray[:small[{label(key)}]]")
        if isinstance(found, Trouble):
            show_trouble(found, key="document")
            return
        _text_of(key, found, quote)
        st.download_button(
            "Download",
            found.data,
            file_name=file_name(key),
            mime="application/octet-stream",
            key="download-document",
            icon=":material/download:",
            on_click="ignore",
        )


def _text_of(key: str, content: Content, quote: str) -> None:
    text = readable_text(key, content)
    if text is None:
        st.caption("This kind of file cannot be shown here; download it to read it.")
        if quote:
            st.html(f'<blockquote class="passage">{highlighted(quote, quote)}</blockquote>')
        return
    shown, before, after = window(reflowed(text), quote, size=SHOWN_CHARACTERS)
    dots = "…\n" if before else "", "\n…" if after else ""
    with st.container(height=460, border=True):
        st.html(f'<div class="document-text">{dots[0]}{highlighted(shown, quote)}{dots[1]}</div>')
    if before or after:
        st.caption("Only a part of this long document is shown; the file has all of it.")


def readable_text(key: str, content: Content) -> str | None:
    """The document as text, when it is a kind that people read as text."""
    ending = file_name(key).rpartition(".")[2].casefold()
    if ending not in READABLE and not content.media_type.startswith("text/"):
        return None
    text = content.data.decode("utf-8", errors="replace")
    return None if "\0" in text else text.replace("\r\n", "\n")
