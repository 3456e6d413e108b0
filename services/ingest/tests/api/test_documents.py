"""The documents routes."""

from urllib.parse import quote

import pytest


class TestPut:
    async def test_callers_without_the_internal_token_are_refused(self, anonymous):
        response = await anonymous.put("/v1/documents/a.md", content=b"x", headers={"x-nexus-tenant": "acme"})
        assert response.status_code == 401
        assert response.json()["error"]["type"] == "authentication_error"

    async def test_it_is_accepted_and_queued_even_while_the_broker_is_away(self, client, folder):
        response = await client.put("/v1/documents/guide/a.md", content=b"# A\n\ntext")
        assert response.status_code == 202
        body = response.json()
        assert (body["document"], body["status"], body["chunks"]) == ("guide/a.md", "queued", 0)
        assert (folder / "guide" / "a.md").read_bytes() == b"# A\n\ntext"
        assert response.headers["x-request-id"]

    async def test_the_same_bytes_have_the_same_etag_and_other_bytes_another(self, client):
        one = (await client.put("/v1/documents/a.md", content=b"one")).json()["etag"]
        again = (await client.put("/v1/documents/a.md", content=b"one")).json()["etag"]
        other = (await client.put("/v1/documents/a.md", content=b"two")).json()["etag"]
        assert one == again != other

    async def test_a_name_of_200_unicode_characters_is_fine(self, client):
        key = "ü😀" * 100 + ".md"
        assert (await client.put(f"/v1/documents/{quote(key)}", content=b"x")).status_code == 202
        assert (await client.get(f"/v1/documents/{quote(key)}/content")).content == b"x"
        assert (await client.get("/v1/documents")).json()["documents"][0]["document"] == key

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "%2e%2e/x",
            "a/%2e%2e/x",
            "a%2F..%2Fb",
            "a%00b",
            "a%09b",
            "%ff%fe",
            "a//b",
            "a/",
            ".hidden",
            "k" * 1025,
            quote("ü" * 600),
        ],
    )
    async def test_names_that_cannot_be_are_400(self, client, path):
        response = await client.put(f"/v1/documents/{path}", content=b"x")
        assert response.status_code == 400
        assert response.json()["error"]["param"] == "key"

    async def test_an_empty_body_is_400_and_a_large_one_413(self, client):
        assert (await client.put("/v1/documents/a.md", content=b"")).status_code == 400
        assert (await client.put("/v1/documents/a.md", content=b"x" * 1_000_001)).status_code == 413

        async def endless():
            for _ in range(200):
                yield b"x" * 10_000

        assert (await client.put("/v1/documents/a.md", content=endless())).status_code == 413

    async def test_a_key_that_is_a_document_and_a_folder_is_409(self, client):
        await client.put("/v1/documents/a", content=b"x")
        assert (await client.put("/v1/documents/a/b.md", content=b"x")).status_code == 409

    async def test_a_knowledge_base_has_a_plain_name(self, client):
        response = await client.put("/v1/documents/a.md?knowledge_base=../x", content=b"x")
        assert response.status_code == 400
        assert response.json()["error"]["param"] == "knowledge_base"


class TestGet:
    async def test_an_unknown_document_is_404(self, client):
        response = await client.get("/v1/documents/nothing.md")
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "not_found"

    async def test_another_tenants_document_is_404(self, client):
        await client.put("/v1/documents/a.md", content=b"x")
        other = {"x-nexus-tenant": "other"}
        assert (await client.get("/v1/documents/a.md", headers=other)).status_code == 404
        assert (await client.get("/v1/documents/a.md/content", headers=other)).status_code == 404
        assert (await client.delete("/v1/documents/a.md", headers=other)).status_code == 404
        assert (await client.get("/v1/documents", headers=other)).json()["total"] == 0

    async def test_the_content_comes_back_as_a_download(self, client):
        await client.put("/v1/documents/a/page.html", content=b"<script>alert(1)</script>")
        response = await client.get("/v1/documents/a/page.html/content")
        assert response.content == b"<script>alert(1)</script>"
        assert response.headers["content-type"].startswith("text/html")
        assert response.headers["content-disposition"].startswith("attachment; filename*=UTF-8''page.html")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in response.headers["content-security-policy"]


class TestDelete:
    async def test_it_is_accepted_once(self, client, folder):
        await client.put("/v1/documents/sub/a.md", content=b"x")
        response = await client.delete("/v1/documents/sub/a.md")
        assert response.status_code == 202
        assert response.json()["status"] == "deleted"
        assert not (folder / "sub").exists()
        assert (await client.get("/v1/documents/sub/a.md")).json()["status"] == "deleted"
        assert (await client.get("/v1/documents/sub/a.md/content")).status_code == 404
        assert (await client.delete("/v1/documents/sub/a.md")).status_code == 404
        assert (await client.get("/v1/documents")).json()["documents"] == []

    async def test_an_unknown_document_is_404(self, client):
        assert (await client.delete("/v1/documents/nothing.md")).status_code == 404


class TestList:
    async def test_pages_hold_every_document_once_in_order(self, client):
        keys = [f"d{number:02}.md" for number in range(25)]
        for key in reversed(keys):
            await client.put(f"/v1/documents/{key}", content=key.encode())
        found, cursor = [], None
        while True:
            page = (
                await client.get("/v1/documents", params={"limit": 10} | ({"cursor": cursor} if cursor else {}))
            ).json()
            assert page["total"] == 25
            found += [document["document"] for document in page["documents"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert found == keys

    async def test_a_prefix_is_taken_literally(self, client):
        for key in ("a_b/1.md", "aXb/2.md", "A_b/3.md", "a%b/4.md"):
            await client.put(f"/v1/documents/{quote(key)}", content=b"x")
        found = (await client.get("/v1/documents", params={"prefix": "a_b"})).json()
        assert [document["document"] for document in found["documents"]] == ["a_b/1.md"]
        assert found["total"] == 1

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=x",
            "limit=99999999999999999999",
            "cursor=!!!",
            "cursor=e30=",
            "cursor=AAAA",
            "prefix=%00",
            "prefix=%ff",
            "knowledge_base=A",
        ],
    )
    async def test_bad_parameters_are_400(self, client, query):
        assert (await client.get(f"/v1/documents?{query}")).status_code == 400

    async def test_knowledge_bases_are_listed_with_their_numbers(self, client):
        await client.put("/v1/documents/a.md?knowledge_base=recipes", content=b"x")
        found = (await client.get("/v1/knowledge-bases")).json()["knowledge_bases"]
        assert [(kb["name"], kb["documents"]) for kb in found] == [("default", 0), ("recipes", 1)]
