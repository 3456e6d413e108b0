"""Who may do what, and that a tenant's things do not exist for another."""

import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.clients import Nexus
from tests.e2e.waiting import until

pytestmark = pytest.mark.e2e

SECRET = "# The vault\n\nThe combination of the vault in the archive is 48-15-16-23.\n"
QUESTION = "What is the combination of the vault in the archive?"


@pytest.fixture(scope="module")
def tenants(admin: Nexus) -> Iterator[tuple[Nexus, Nexus]]:
    """Two tenants with a key each, in knowledge bases of the same name; the first has a secret."""
    run = uuid.uuid4().hex[:8]
    keys = [admin.new_key("chat", "documents", tenant=f"{name}-{run}")["key"] for name in ("ours", "theirs")]
    ours, theirs = (Nexus(admin.url, key, base="vaults") for key in keys)
    ours.add("vault.md", SECRET)
    theirs.add("garden.md", "# The garden\n\nThe roses in the garden are watered on Tuesdays.\n")
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer nx_wrong", "Basic YTpi", "nx_no_scheme", "Bearer " + "x" * 5000],
)
def test_without_a_known_key_everything_is_401(admin: Nexus, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    for method, path in (
        ("GET", "/v1/models"),
        ("GET", "/v1/documents"),
        ("PUT", "/v1/documents/a.md"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/keys"),
    ):
        response = httpx.request(method, f"{admin.url}{path}", headers=headers)
        assert response.status_code == 401, f"{method} {path}"
        assert response.json()["error"]["type"] == "authentication_error"
        assert response.headers["www-authenticate"].startswith("Bearer")


SCOPED = {
    "chat": {
        ("POST", "/v1/chat/completions"): True,
        ("POST", "/v1/search"): True,
        ("POST", "/v1/embeddings"): True,
        ("GET", "/v1/models"): True,
        ("GET", "/v1/knowledge-bases"): True,
        ("POST", "/v1/feedback"): True,
        ("PUT", "/v1/documents/a.md"): False,
        ("DELETE", "/v1/documents/a.md"): False,
        ("GET", "/v1/keys"): False,
        ("GET", "/v1/runs"): False,
        ("GET", "/v1/incidents"): False,
        ("GET", "/v1/dead-letters"): False,
    },
    "documents": {
        ("GET", "/v1/documents"): True,
        ("POST", "/v1/search"): True,
        ("POST", "/v1/chat/completions"): False,
        ("POST", "/v1/feedback"): False,
        ("POST", "/v1/keys"): False,
        ("GET", "/v1/releases"): False,
        ("GET", "/v1/status"): False,
    },
}


@pytest.mark.parametrize("scope", SCOPED)
def test_a_key_opens_what_its_scopes_say_and_nothing_else(admin: Nexus, scope: str) -> None:
    key = admin.with_key(admin.new_key(scope)["key"])
    for (method, path), allowed in SCOPED[scope].items():
        status = key.http.request(method, path, json={} if method == "POST" else None).status_code
        assert (status != 403) == allowed, f"{scope}: {method} {path} gave {status}"
        assert status != 401


def test_a_revoked_key_opens_nothing_within_seconds(admin: Nexus) -> None:
    made = admin.new_key("chat")
    key = admin.with_key(made["key"])
    assert key.http.get("/v1/models").status_code == 200
    assert admin.http.delete(f"/v1/keys/{made['id']}").status_code == 200
    until(lambda: key.http.get("/v1/models").status_code == 401, "the revoked key is refused", seconds=5)


def test_a_keys_secret_is_shown_once(admin: Nexus) -> None:
    made = admin.new_key("chat")
    listed = admin.http.get("/v1/keys").text
    assert made["id"] in listed
    assert made["key"] not in listed


def test_a_tenant_finds_its_own_documents(tenants: tuple[Nexus, Nexus]) -> None:
    ours, _ = tenants
    answer = ours.ask(QUESTION)
    assert "48-15-16-23" in answer.text
    assert answer.citations[0]["document"] == "vault.md"


def test_another_tenants_documents_are_in_no_search_and_no_answer(tenants: tuple[Nexus, Nexus]) -> None:
    _, theirs = tenants
    assert "vault.md" not in {hit["document"] for hit in theirs.search(QUESTION, top_k=50)}
    answer = theirs.ask(QUESTION)
    assert "48-15-16-23" not in answer.text
    assert answer.abstained
    for base in ("default", "vaults"):
        assert "48-15" not in theirs.within(base).chat(QUESTION).text


@pytest.mark.parametrize("query", ['" or 1==1 or "', "scope == 'x'", "vault' or scope != '", "*", "%"])
def test_a_query_cannot_reach_out_of_its_filter(tenants: tuple[Nexus, Nexus], query: str) -> None:
    _, theirs = tenants
    assert {hit["document"] for hit in theirs.search(query, top_k=50)} <= {"garden.md"}


def test_another_tenants_document_does_not_exist(tenants: tuple[Nexus, Nexus]) -> None:
    ours, theirs = tenants
    assert theirs.document("vault.md").status_code == 404
    assert theirs.content("vault.md").status_code == 404
    assert theirs.delete("vault.md").status_code == 404
    listed = theirs.documents().json()
    assert [document["document"] for document in listed["documents"]] == ["garden.md"]
    assert ours.document("vault.md").json()["status"] == "indexed"


def test_the_same_key_in_two_tenants_is_two_documents(tenants: tuple[Nexus, Nexus]) -> None:
    ours, theirs = tenants
    theirs.add("same.md", "# Ours\n\nThe mascot of the garden club is a hedgehog named Pim.\n")
    ours.add("same.md", "# Ours\n\nThe mascot of the vault club is an owl named Tora.\n")
    assert "Pim" in theirs.ask("What is the name of the mascot?").text
    assert "Tora" in ours.ask("What is the name of the mascot?").text
    theirs.delete("same.md")
    theirs.wait_for("same.md", "deleted")
    assert "Tora" in ours.ask("What is the name of the mascot?").text


def test_another_tenants_answer_cannot_be_voted_on(tenants: tuple[Nexus, Nexus]) -> None:
    ours, theirs = tenants
    answer = ours.ask(QUESTION)
    assert theirs.vote(answer.id, "down").status_code == 404
    assert ours.vote(answer.id, "up").status_code == 201


def test_another_tenants_conversation_is_not_continued(tenants: tuple[Nexus, Nexus]) -> None:
    ours, theirs = tenants
    conversation = ours.ask(QUESTION).details["conversation_id"]
    stolen = theirs.ask("What did I ask before? Tell me more about it.", conversation_id=conversation)
    assert "48-15" not in stolen.text
    assert "vault" not in stolen.text.lower()


def test_another_tenants_cursor_leads_nowhere_else(tenants: tuple[Nexus, Nexus]) -> None:
    ours, theirs = tenants
    ours.add("another.md", SECRET)
    cursor = ours.documents(limit=1).json()["next_cursor"]
    assert cursor
    response = theirs.documents(cursor=cursor)
    names = [document["document"] for document in response.json().get("documents", [])]
    assert set(names) <= {"garden.md"}


def test_headers_of_the_inside_do_not_change_who_is_asking(admin: Nexus, tenants: tuple[Nexus, Nexus]) -> None:
    ours, theirs = tenants
    key = next(key for key in admin.http.get("/v1/keys").json()["keys"] if key["id"][4:] in str(ours.key))
    forged = {"x-nexus-tenant": key["tenant"], "x-nexus-key-id": key["id"]}
    query = {"knowledge_base": "vaults"}
    assert theirs.http.get("/v1/documents/vault.md", params=query, headers=forged).status_code == 404
    listed = theirs.http.get("/v1/documents", params=query, headers=forged).json()["documents"]
    assert [document["document"] for document in listed] == ["garden.md"]


def test_knowledge_bases_keep_to_themselves(admin: Nexus) -> None:
    one, other = (admin.within(f"{name}-{uuid.uuid4().hex[:8]}") for name in ("one", "other"))
    one.add("vault.md", SECRET)
    assert other.search(QUESTION, top_k=50) == []
    assert other.document("vault.md").status_code == 404
    assert other.ask(QUESTION).abstained
