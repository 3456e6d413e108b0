"""The script Streamlit runs for every visitor: the frame around the pages."""

from importlib.resources import files
from pathlib import Path

import streamlit as st

from ui.views import chat, documents, improvement, status

_STATIC = Path(str(files("ui") / "static"))

st.set_page_config(page_title="Nexus", page_icon=str(_STATIC / "icon.svg"), layout="centered")
st.logo(str(_STATIC / "wordmark.svg"), size="large", icon_image=str(_STATIC / "wordmark.svg"))
st.html(_STATIC / "style.css")

pages = {
    "chat": st.Page(chat.page, title="Chat", icon=":material/forum:", url_path="chat", default=True),
    "documents": st.Page(documents.page, title="Documents", icon=":material/description:", url_path="documents"),
    "improvement": st.Page(
        improvement.page, title="Improvement", icon=":material/model_training:", url_path="improvement"
    ),
    "status": st.Page(status.page, title="Status", icon=":material/monitor_heart:", url_path="status"),
}
st.session_state["pages"] = pages
current = st.navigation(list(pages.values()), position="hidden")
# Streamlit's own bar folds into a drawer on a phone, which then stays open; three links fit beside the wordmark.
with st.container(key="nav", horizontal=True, gap="xsmall"):
    for link in pages.values():
        st.page_link(link)
current.run()
