"""The Documents page, run by Streamlit's AppTest against a gateway in memory."""

from datetime import UTC, datetime, timedelta

from streamlit.testing.v1 import AppTest
from ui.errors import Rejected, ScopeMissing, Unreachable


def shown(app: AppTest) -> str:
    """Everything written on the page, and the names of its buttons."""
    return "\n".join([str(piece.value) for piece in (*app.markdown, *app.caption)] + [b.label for b in app.button])


def upload(app: AppTest, *names: str) -> AppTest:
    app.file_uploader[0].set_value([(name, b"# Title\n\nText.", "text/markdown") for name in names]).run()
    assert not app.exception
    return app


class TestList:
    def test_shows_every_document_with_its_status_and_why_it_failed(self, open_page, gateway):
        gateway.hold("a/b.md", updated_at=datetime.now(UTC) - timedelta(hours=3))
        gateway.hold("bad.pdf", status="failed", chunks=0, error="The PDF is encrypted.")
        page = shown(open_page("documents"))
        assert "a · 4 passages · 3 hours ago" in page
        assert ":red[The PDF is encrypted.]" in page
        assert ":green-badge[:material/check: Indexed]" in page
        assert ":red-badge[:material/error: Failed]" in page

    def test_a_search_leaves_the_documents_of_that_name(self, open_page, gateway):
        gateway.hold("handbook/holidays.md")
        app = open_page("documents")
        app.text_input("document-search").set_value("holi").run()
        assert "holidays.md" in shown(app)
        assert "storage.md" not in shown(app)

    def test_only_the_failed_ones_when_asked_for(self, open_page, gateway):
        gateway.hold("bad.pdf", status="failed")
        app = open_page("documents")
        app.button_group("document-show").set_value("Failed").run()
        assert "bad.pdf" in shown(app)
        assert "storage.md" not in shown(app)

    def test_many_documents_are_paged(self, open_page, gateway):
        for number in range(45):
            gateway.hold(f"many/{number:02}.md")
        app = open_page("documents")
        assert "19.md" in shown(app)
        assert "20.md" not in shown(app)
        app.get("pagination")[0].set_value(3).run()
        assert "44.md" in shown(app)

    def test_names_are_shown_as_they_are(self, open_page, gateway):
        gateway.hold("![x](http://evil.invalid/x.png).md")
        assert "![x](" not in shown(open_page("documents"))

    def test_says_in_words_that_the_gateway_is_down(self, open_page, gateway):
        gateway.broken["documents"] = Unreachable("Nobody answers.")
        assert "The platform is not reachable" in shown(open_page("documents"))

    def test_says_which_scope_the_key_lacks(self, open_page, gateway):
        gateway.broken["documents"] = ScopeMissing("This needs a key with the scope documents.")
        assert "This needs a key with the scope documents." in shown(open_page("documents"))


class TestUpload:
    def test_several_files_are_sent_and_followed_until_they_are_indexed(self, open_page, gateway):
        app = upload(open_page("documents"), "one.md", "two.md")
        assert gateway.contents["one.md"].data == b"# Title\n\nText."
        assert "Queued" in shown(app)
        for name in ("one.md", "two.md"):
            gateway.hold(name, chunks=2)
        app.run()
        assert "2 passages" in shown(app)
        assert "Clear" in shown(app)

    def test_files_go_into_the_folder_and_the_knowledge_base_chosen(self, open_page, gateway):
        gateway.stored["team-a"] = {}
        app = open_page("documents")
        app.selectbox("documents-knowledge-base").set_value("team-a").run()
        app.text_input("upload-folder").set_value("/handbook/hr/").run()
        upload(app, "one.md")
        assert list(gateway.stored["team-a"]) == ["handbook/hr/one.md"]

    def test_a_refused_file_says_why(self, open_page, gateway):
        gateway.broken["upload"] = Rejected("The body is empty.")
        assert "The body is empty." in shown(upload(open_page("documents"), "one.md"))

    def test_a_failed_document_shows_its_reason(self, open_page, gateway):
        app = upload(open_page("documents"), "one.md")
        gateway.hold("one.md", status="failed", error="Nothing to read in it.")
        assert "Nothing to read in it." in shown(app.run())


class TestDelete:
    def test_asks_before_it_deletes(self, open_page, gateway):
        app = open_page("documents")
        app.button("delete-prometheus/storage.md").click().run()
        assert "will be gone from **default**" in shown(app)
        assert "prometheus/storage.md" in gateway.stored["default"]
        app.button("confirm-delete").click().run()
        assert gateway.stored["default"] == {}

    def test_keeps_it_when_told_so(self, open_page, gateway):
        app = open_page("documents")
        app.button("delete-prometheus/storage.md").click().run()
        app.button("keep-document").click().run()
        assert "prometheus/storage.md" in gateway.stored["default"]

    def test_says_why_it_could_not_be_deleted(self, open_page, gateway):
        gateway.broken["delete"] = Unreachable("Nobody answers.")
        app = open_page("documents")
        app.button("delete-prometheus/storage.md").click().run()
        app.button("confirm-delete").click().run()
        assert "The platform is not reachable" in shown(app)


class TestView:
    def test_opens_the_text_of_a_document_as_text(self, open_page, gateway):
        gateway.upload("page.html", b"<script>alert(1)</script>", knowledge_base="default", media_type="text/html")
        app = open_page("documents")
        app.button("open-page.html").click().run()
        written = "\n".join(str(html.value) for html in app.get("html"))
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in written
        assert app.get("download_button")[0].label == "Download"

    def test_a_file_that_is_not_text_is_offered_for_download(self, open_page, gateway):
        gateway.upload("a.pdf", b"%PDF-1.7\0", knowledge_base="default", media_type="application/pdf")
        app = open_page("documents")
        app.button("open-a.pdf").click().run()
        assert "This kind of file cannot be shown here" in shown(app)
        assert app.get("download_button")

    def test_a_document_that_went_meanwhile_is_said_to_be_gone(self, open_page):
        app = open_page("documents")
        app.button("open-prometheus/storage.md").click().run()
        assert "It is not there any more" in shown(app)
