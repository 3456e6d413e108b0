"""The Documents page: put documents in, watch them being indexed, take them out."""

import mimetypes

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ui import metrics
from ui.catalogue import BASE_NAME, Upload, upload_key
from ui.safe_text import label
from ui.session import attempt, base_names, choose_base, chosen_base, gateway, show_noted, went_well
from ui.views.document_list import document_list
from ui.views.viewer import open_document
from ui.wording import Trouble, file_name

FORMATS = "Markdown, text, HTML, PDF, Word, PowerPoint, CSV and JSON"
POLL_SECONDS = 1.5
IDLE_SECONDS = 15.0


def page() -> None:
    """Draw the page."""
    _head()
    _upload()
    busy = bool(st.session_state.get("documents-busy"))
    st.fragment(document_list, run_every=POLL_SECONDS if busy else IDLE_SECONDS)()
    _requested()


def _head() -> None:
    bases = attempt(gateway().knowledge_bases)
    names = base_names([] if isinstance(bases, Trouble) else list(bases))
    with st.container(key="documents-head", horizontal=True, vertical_alignment="center"):
        st.title("Documents", anchor=False, width="stretch")
        st.selectbox(
            "Knowledge base",
            names,
            index=names.index(chosen_base()),
            key="documents-knowledge-base",
            on_change=_base_chosen,
            accept_new_options=True,
            label_visibility="collapsed",
            icon=":material/library_books:",
            help="Choose one, or type the name of a new one.",
            width=220,
        )
    show_noted("base")
    show_noted("delete")


def _base_chosen() -> None:
    name = str(st.session_state["documents-knowledge-base"] or "").strip()
    if BASE_NAME.fullmatch(name):
        choose_base(name)
        return
    st.session_state["documents-knowledge-base"] = chosen_base()
    went_well(
        Trouble(
            "That name does not work", "Use lower case letters, digits and dashes; begin with a letter or a digit."
        ),
        slot="base",
    )


def _upload() -> None:
    round_number = st.session_state.setdefault("upload-round", 0)
    with st.container(key="upload", gap="xsmall"):
        files = st.file_uploader(
            f"Add documents to {chosen_base()}",
            accept_multiple_files=True,
            key=f"uploader-{round_number}",
            help=f"{FORMATS}. The same name replaces what is there.",
        )
        folder = st.text_input(
            "Folder (optional)",
            key="upload-folder",
            placeholder="Folder (optional), for example handbook/hr",
            label_visibility="collapsed",
            max_chars=400,
        )
    if files:
        _send(files, folder)
        st.session_state["upload-round"] = round_number + 1
        st.session_state["documents-busy"] = True
        st.rerun()


def _send(files: list[UploadedFile], folder: str) -> None:
    uploads: list[Upload] = st.session_state.setdefault("uploads", [])
    bar = st.progress(0.0, text="Sending")
    for position, file in enumerate(files):
        bar.progress(position / len(files), text=f"Sending {label(file.name)}")
        key, base = upload_key(folder, file.name), chosen_base()
        media_type = file.type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        outcome = attempt(gateway().upload, key, file.getvalue(), knowledge_base=base, media_type=media_type)
        trouble = outcome if isinstance(outcome, Trouble) else None
        metrics.UPLOADS.labels("failed" if trouble else "sent").inc()
        uploads[:] = [upload for upload in uploads if (upload.key, upload.base) != (key, base)]
        uploads.append(Upload(key, base, trouble=trouble))


def _requested() -> None:
    """Open the dialog asked for in the list. It is opened here because the list redraws itself every few seconds, and
    what a list opens goes when it redraws."""
    wish = st.session_state.pop("document-wish", None)
    if wish is None:
        return
    action, key = wish
    if action == "open":
        open_document(key, knowledge_base=chosen_base())
    else:
        _confirm_deletion(key)


@st.dialog("Delete this document?", icon=":material/delete:")
def _confirm_deletion(key: str) -> None:
    st.markdown(f"**{label(file_name(key))}** will be gone from **{label(chosen_base())}** and from every answer.")
    with st.container(key="confirm-deletion", horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key="keep-document") or st.button(
            "Delete", key="confirm-delete", type="primary", on_click=_delete, args=(key,)
        ):
            st.rerun()  # closes the dialog


def _delete(key: str) -> None:
    if not went_well(attempt(gateway().delete, key, knowledge_base=chosen_base()), slot="delete"):
        return
    uploads: list[Upload] = st.session_state.setdefault("uploads", [])
    uploads[:] = [upload for upload in uploads if (upload.key, upload.base) != (key, chosen_base())]
    st.toast(f"{label(file_name(key))} is deleted.", icon=":material/delete:")
