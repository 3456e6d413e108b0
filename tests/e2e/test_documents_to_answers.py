"""The data loop: what is put in, edited or removed reaches search and answers by itself."""

import uuid
from pathlib import Path

import httpx
import pytest

from tests.e2e.clients import Nexus, metric
from tests.e2e.library import FACTS, HOLIDAYS, Fact, library, long_document, long_pdf, plain_text
from tests.e2e.stack import Stack
from tests.e2e.waiting import until

pytestmark = pytest.mark.e2e


def squeezed(text: str) -> str:
    """Without white space: line ends of a PDF or a Word file are nobody's words."""
    return "".join(text.split())


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.document.rpartition(".")[2])
def test_every_format_is_answered_from_and_cited_verbatim(shelf: Nexus, fact: Fact) -> None:
    answer = shelf.ask(fact.question)
    assert fact.words.lower() in answer.text.lower(), answer.text
    cited = [citation for citation in answer.citations if citation["document"] == fact.document]
    assert cited, f"cites {[c['document'] for c in answer.citations]}"
    for citation in answer.citations:
        assert squeezed(citation["quote"]) in squeezed(plain_text(citation["document"]))
        assert citation["title"]
        assert citation["chunk_id"]
        assert f"[{citation['index']}]" in answer.text
    if fact.page is not None:
        assert cited[0]["page"] == fact.page


def test_the_bytes_of_a_document_come_back_as_they_were_put(shelf: Nexus) -> None:
    for key, data in library().items():
        response = shelf.content(key)
        assert response.content == data, key
        assert "sandbox" in response.headers["content-security-policy"]


def test_documents_are_listed_page_by_page_in_the_order_of_their_keys(shelf: Nexus) -> None:
    seen, cursor = [], None
    for _ in range(10):
        page = shelf.documents(limit=3, **({"cursor": cursor} if cursor else {})).json()
        seen += [document["document"] for document in page["documents"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == sorted(library())
    only_staff = shelf.documents(prefix="staff/").json()["documents"]
    assert {document["document"] for document in only_staff} == {key for key in library() if key.startswith("staff/")}


def test_search_shows_the_passages_themselves_best_first(shelf: Nexus) -> None:
    hits = shelf.search("notice period after probation", top_k=3)
    assert hits[0]["document"] == "staff/notice.txt"
    assert len(hits) <= 3
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    for hit in hits:
        assert squeezed(hit["text"]) in squeezed(plain_text(hit["document"]))


def test_a_document_is_put_answered_from_edited_and_deleted(desk: Nexus) -> None:
    question = "How many days of paid holiday does everyone at Halvorsen Marine have?"
    desk.add("holidays.md", HOLIDAYS)
    assert "27" in desk.ask(question).text

    put = desk.put("holidays.md", HOLIDAYS.replace("27 days", "31 days"))
    assert put.status_code == 202
    until(lambda: "31" in desk.ask(question).text, "the edit is in the answer", seconds=10)
    assert not [hit for hit in desk.search(question) if "27 days" in hit["text"]]

    assert desk.delete("holidays.md").status_code == 202
    until(lambda: desk.ask(question).abstained, "the deletion is in the answer", seconds=10)
    gone = desk.ask(question)
    assert gone.citations == []
    assert desk.search(question) == []
    assert desk.content("holidays.md").status_code == 404
    assert desk.documents().json()["documents"] == [] or desk.document("holidays.md").json()["status"] == "deleted"


def test_a_deleted_document_can_be_put_again(desk: Nexus) -> None:
    desk.add("a.md", HOLIDAYS)
    desk.delete("a.md")
    desk.wait_for("a.md", "deleted")
    desk.add("a.md", HOLIDAYS)
    assert desk.search("sabbatical")[0]["document"] == "a.md"


def test_the_same_bytes_again_embed_nothing(stack: Stack, desk: Nexus) -> None:
    worker = stack.part_url("ingest-worker")
    first = desk.add("book.md", long_document(1, 8))
    before = metric(worker, "nexus_embeddings_total")
    again = desk.add("book.md", long_document(1, 8))
    assert again["chunks"] == first["chunks"]
    assert metric(worker, "nexus_embeddings_total") == before


def test_an_edited_sentence_embeds_the_changed_chunks_alone(stack: Stack, desk: Nexus) -> None:
    worker = stack.part_url("ingest-worker")
    text = long_document(2, 10)
    chunks = desk.add("book.md", text)["chunks"]
    assert chunks >= 5
    before = metric(worker, "nexus_embeddings_total")
    renewed = f"2004-3 (renewed {uuid.uuid4().hex[:6]})"  # new to this stack, whatever ran on it before
    desk.add("book.md", text.replace("2004-3", renewed))
    assert 1 <= metric(worker, "nexus_embeddings_total") - before <= 2


def test_a_ten_page_pdf_is_searchable_soon_and_knows_its_pages(desk: Nexus) -> None:
    desk.add("book.pdf", long_pdf(10), seconds=30)
    hit = desk.search("number 7-3 in the")[0]
    assert hit["document"] == "book.pdf"
    pages = {hit["page"] for hit in desk.search("engineer on watch", top_k=50)}
    assert pages == set(range(1, 11))


def test_a_file_in_the_stores_folder_is_a_document(embedded_stack: Stack, desk: Nexus) -> None:
    assert embedded_stack.state is not None
    file = embedded_stack.state / "documents" / "default" / desk.base / "dropped" / "tide.md"
    file.parent.mkdir(parents=True)
    file.write_text("# Tides\n\nThe spring tide in Bergen harbour rises by 162 centimetres.\n")
    desk.wait_for("dropped/tide.md", "indexed", seconds=30)
    question = "By how much does the spring tide in Bergen harbour rise?"
    assert "162" in desk.ask(question).text

    _replace(file, "# Tides\n\nThe spring tide in Bergen harbour rises by 175 centimetres.\n")
    until(lambda: "175" in desk.ask(question).text, "the edited file is in the answer", seconds=30)

    file.unlink()
    until(lambda: desk.search(question) == [], "the removed file is gone", seconds=30)
    assert desk.ask(question).abstained


def _replace(file: Path, text: str) -> None:
    draft = file.with_name(".draft")
    draft.write_text(text)
    draft.replace(file)


def test_an_s3_event_is_a_hint_to_look(embedded_stack: Stack, desk: Nexus) -> None:
    assert embedded_stack.state is not None
    door = f"{embedded_stack.env['NEXUS_INGEST_URL']}/events/s3"
    assert httpx.head(door).status_code == 200
    folder = embedded_stack.state / "documents" / "default" / desk.base
    folder.mkdir(parents=True)
    (folder / "event.md").write_text("# Anchors\n\nThe anchor of the Kittiwake weighs 340 kilograms.\n")
    record = {"eventName": "s3:ObjectCreated:Put", "s3": {"object": {"key": f"default%2F{desk.base}%2Fevent.md"}}}
    told = httpx.post(door, json={"Records": [record]})
    assert told.status_code in (200, 202), told.text
    desk.wait_for("event.md", "indexed", seconds=30)
    untrue = {**record, "s3": {"object": {"key": f"default/{desk.base}/never-there.md"}}}
    assert httpx.post(door, json={"Records": [untrue, record, record]}).status_code in (200, 202)
    assert [d["document"] for d in desk.documents().json()["documents"]] == ["event.md"]
    assert httpx.post(door, json={"nothing": "of the kind"}).status_code == 400


def test_knowledge_bases_come_to_be_with_their_first_document(desk: Nexus) -> None:
    desk.add("a.md", HOLIDAYS)
    bases = {base["name"]: base for base in desk.http.get("/v1/knowledge-bases").json()["knowledge_bases"]}
    assert bases[desk.base]["documents"] == 1
    assert bases[desk.base]["chunks"] >= 1
    assert "default" in bases
