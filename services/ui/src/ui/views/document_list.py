"""The list of documents with what is being indexed above it; redraws itself while something is going on."""

from datetime import UTC, datetime

import streamlit as st

from ui.catalogue import SHOWS, Show, Upload, counts, followed, listed
from ui.models import Document
from ui.safe_text import label
from ui.session import attempt, chosen_base, gateway, show_trouble
from ui.wording import Trouble, ago, counted, file_name, folder

ROWS = 20
MOST_LISTED = 1000
UPLOADS_SHOWN = 12
BADGES = {
    "queued": (":material/schedule:", "gray", "Queued"),
    "indexing": (":material/autorenew:", "blue", "Indexing"),
    "indexed": (":material/check:", "green", "Indexed"),
    "failed": (":material/error:", "red", "Failed"),
    "deleted": (":material/delete:", "gray", "Deleted"),
}


def document_list() -> None:
    """Draw the list, and ask for a quicker pace while documents are being indexed."""
    search = str(st.session_state.get("document-search") or "")
    found = attempt(fetch_documents, chosen_base(), search)
    if isinstance(found, Trouble):
        show_trouble(found, key="documents")
        return
    documents, complete = found
    uploads: list[Upload] = st.session_state.setdefault("uploads", [])
    for upload in followed(uploads, chosen_base(), documents):
        _ask_about(upload)
    _uploads_panel([upload for upload in uploads if upload.base == chosen_base()])
    if documents or search:
        _list(documents, complete, search)
    else:
        st.caption(f"No documents in {chosen_base()} yet.")
    _set_pace(documents, uploads)


def fetch_documents(base: str, search: str = "") -> tuple[list[Document], bool]:
    """The documents of a knowledge base, and whether that is all of them. Of a very large one the first, or those
    whose key begins with the search text."""
    documents, complete = _pages(base, "")
    return (documents, complete) if complete or not search.strip() else _pages(base, search.strip())


def _pages(base: str, prefix: str) -> tuple[list[Document], bool]:
    documents: list[Document] = []
    cursor = None
    while len(documents) < MOST_LISTED:
        page = gateway().documents(base, prefix=prefix, cursor=cursor)
        documents += page.documents
        cursor = page.next_cursor
        if cursor is None:
            return documents, True
    return documents, False


def _ask_about(upload: Upload) -> None:
    outcome = attempt(gateway().document, upload.key, knowledge_base=upload.base)
    if isinstance(outcome, Document):
        upload.document = outcome


def _set_pace(documents: list[Document], uploads: list[Upload]) -> None:
    busy = any(not document.settled for document in documents) or any(not upload.settled for upload in uploads)
    if busy != bool(st.session_state.get("documents-busy")):
        st.session_state["documents-busy"] = busy
        st.rerun()


def _uploads_panel(uploads: list[Upload]) -> None:
    if not uploads:
        return
    settled = sum(upload.settled for upload in uploads)
    with st.container(key="uploads", border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Just added**", width="stretch")
            if settled == len(uploads):
                st.button(
                    "Clear", key="clear-uploads", type="tertiary", icon=":material/close:", on_click=_clear_uploads
                )
        if settled < len(uploads):
            st.progress(settled / len(uploads), text=f"Indexing: {settled} of {counted(len(uploads), 'document')} done")
        ordered = sorted(uploads, key=lambda upload: upload.settled and upload.trouble is None)
        for position, upload in enumerate(ordered[:UPLOADS_SHOWN]):
            _upload_row(position, upload)
        if len(uploads) > UPLOADS_SHOWN:
            st.caption(f"and {len(uploads) - UPLOADS_SHOWN} more")


def _clear_uploads() -> None:
    uploads: list[Upload] = st.session_state["uploads"]
    uploads[:] = [upload for upload in uploads if upload.base != chosen_base()]


def _upload_row(position: int, upload: Upload) -> None:
    with st.container(key=f"upload-row-{position}", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(label(upload.key), width="stretch")
        if upload.document and upload.document.status == "indexed":
            st.caption(counted(upload.document.chunks, "passage"), width="content")
        _badge("failed" if upload.trouble else upload.document.status if upload.document else "queued")
    if upload.trouble:
        st.caption(label(f"{upload.trouble.title}. {upload.trouble.advice}"))
    elif upload.document and upload.document.error:
        st.caption(label(upload.document.error))


def _list(documents: list[Document], complete: bool, search: str) -> None:
    number = counts(documents)
    with st.container(key="list-head", horizontal=True, vertical_alignment="center", gap="small"):
        st.text_input(
            "Search documents",
            key="document-search",
            placeholder="Search by name" if complete else "Search: names that begin with …",
            label_visibility="collapsed",
            icon=":material/search:",
        )
        show: Show = st.segmented_control(
            "Show",
            SHOWS,
            default="All",
            required=True,
            key="document-show",
            format_func=lambda option: f"{option} {number[option]:,}" if complete else option,
            label_visibility="collapsed",
        )
    rows = listed(documents, text=search if complete else "", show=show)
    if not rows:
        st.caption("Nothing here by that name." if search else "Nothing here.")
        return
    pages = -(-len(rows) // ROWS)
    page = min(int(st.session_state.get("document-page") or 1), pages)
    with st.container(key="document-rows", gap=None):
        for position, document in enumerate(rows[(page - 1) * ROWS : page * ROWS]):
            _row(position, document)
    if pages > 1:
        st.pagination(pages, key="document-page")
    if not complete:
        st.caption(f"The first {MOST_LISTED:,} are shown. Search for the beginning of a name to find others.")


def _row(position: int, document: Document) -> None:
    key = document.document
    with st.container(key=f"document-row-{position}", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(key=f"document-name-{position}", gap=None, width="stretch"):
            if st.button(label(file_name(key)), key=f"open-{key}", type="tertiary"):
                _wish("open", key)
            place = [folder(key), counted(document.chunks, "passage") if document.status == "indexed" else ""]
            place.append(ago(document.updated_at, datetime.now(UTC)))
            st.caption(label(" · ".join(part for part in place if part)))
            if document.error:
                st.caption(f":red[{label(document.error)}]")
        _badge(document.status)
        if st.button(label(f"Delete {file_name(key)}"), key=f"delete-{key}", icon=":material/delete:", type="tertiary"):
            _wish("delete", key)


def _wish(action: str, key: str) -> None:
    st.session_state["document-wish"] = (action, key)
    st.rerun()


def _badge(status: str) -> None:
    icon, color, word = BADGES.get(status, (":material/help:", "gray", status))
    st.badge(word, icon=icon, color=color)  # type: ignore[arg-type]
