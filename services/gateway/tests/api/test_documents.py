"""Documents on their way in and out."""

import pytest
from starlette.responses import JSONResponse, Response

ACCEPTED = {"document": "a.md", "etag": "e", "status": "queued"}


async def test_bytes_go_to_ingest_as_they_came(stack):
    stack.ingest.answer = lambda _: JSONResponse(ACCEPTED, 202)
    body = bytes(range(256)) * 1000
    response = await stack.client.put(
        "/v1/documents/folder/a.md?knowledge_base=handbook", content=body, headers={"content-type": "text/markdown"}
    )
    assert (response.status_code, response.json()) == (202, ACCEPTED)
    (seen,) = stack.ingest.seen
    assert (seen.method, seen.path, seen.body) == ("PUT", "/v1/documents/folder/a.md", body)
    assert seen.query == {"knowledge_base": "handbook"}
    assert seen.headers["content-type"] == "text/markdown"
    assert seen.headers["content-length"] == str(len(body))


async def test_a_body_of_unknown_length_goes_through_too(stack):
    async def chunks():
        for _ in range(5):
            yield b"x" * 1000

    assert (await stack.client.put("/v1/documents/a.txt", content=chunks())).status_code == 200
    assert stack.ingest.seen[0].body == b"x" * 5000


@pytest.mark.parametrize("declared", [True, False])
async def test_an_empty_document_is_400(stack, declared):
    async def nothing():
        yield b""

    response = await stack.client.put("/v1/documents/a.txt", content=b"" if declared else nothing())
    assert response.status_code == 400
    assert "empty" in response.json()["error"]["message"]
    assert not stack.ingest.seen


@pytest.mark.parametrize("declared", [True, False])
async def test_a_document_over_the_limit_is_413(start, declared):
    async def chunks():
        for _ in range(100):
            yield b"x" * 100

    async with start(max_document_bytes=5000) as stack:
        content = b"x" * 10_000 if declared else chunks()
        response = await stack.client.put("/v1/documents/a.txt", content=content)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"


async def test_a_document_of_exactly_the_limit_goes_in(start):
    async with start(max_document_bytes=5000) as stack:
        assert (await stack.client.put("/v1/documents/a.txt", content=b"x" * 5000)).status_code == 200


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("a.md", "a.md"),
        ("folder/sub/a.md", "folder/sub/a.md"),
        ("caf%C3%A9/%E4%BD%A0%E5%A5%BD.md", "caf%C3%A9/%E4%BD%A0%E5%A5%BD.md"),
        ("with%20space%3F%23%25.md", "with%20space%3F%23%25.md"),
        ("folder%2Fa.md", "folder/a.md"),
        ("a..b/...md", "a..b/...md"),
        ("%E4%BD%A0" * 200, "%E4%BD%A0" * 200),
        ("x" * 1024, "x" * 1024),
        ("content", "content"),
    ],
)
async def test_an_honest_key_reaches_ingest_encoded(stack, path, seen):
    assert (await stack.client.get(f"/v1/documents/{path}")).status_code == 200
    assert stack.ingest.seen[0].path == f"/v1/documents/{seen}"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "a//b",
        "a/",
        "..",
        "../keys",
        "a/../../keys",
        "%2e%2e/keys",
        "a/%2e%2e/b",
        "..%2fkeys",
        "%2E%2E%2F%2E%2E%2Fetc",
        "a/./b",
        "%00",
        "a%00.md",
        "a%0A.md",
        "a%7F.md",
        "a%C2%85.md",
        "%FF",
        "a%C3.md",
        "%ED%A0%80",
        "%C0%AE%C0%AE/a",
        "x" * 1025,
        "%E4%BD%A0" * 342,
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_crooked_key_is_400_and_says_why(stack, raw, method, path):
    response = await raw(method, f"/v1/documents/{path}", b"body" if method == "PUT" else b"")
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == "key"
    assert not stack.ingest.seen


async def test_content_comes_back_inert(stack):
    stack.ingest.answer = lambda _: Response(b"<script>alert(1)</script>", media_type="text/html")
    response = await stack.client.get("/v1/documents/folder/a.html/content")
    assert response.content == b"<script>alert(1)</script>"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]
    assert stack.ingest.seen[0].path == "/v1/documents/folder/a.html/content"


async def test_an_unknown_document_is_404_as_ingest_says(stack):
    body = {"error": {"message": "There is no such document.", "type": "not_found_error", "param": None, "code": "x"}}
    stack.ingest.answer = lambda _: JSONResponse(body, 404)
    for method in ("GET", "DELETE"):
        response = await stack.client.request(method, "/v1/documents/no.md")
        assert (response.status_code, response.json()) == (404, body)


async def test_a_list_passes_its_parameters_on(stack):
    await stack.client.get("/v1/documents", params={"prefix": "ärzte/a+b", "limit": 10, "cursor": "abc=="})
    assert stack.ingest.seen[0].query == {"prefix": "ärzte/a+b", "limit": "10", "cursor": "abc=="}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=1e3",
        "limit=abc",
        "limit=" + "9" * 5000,
        "prefix=%00",
        "prefix=%FF",
        "prefix=a%0Ab",
        "prefix=" + "x" * 1025,
        "cursor=%00",
        "cursor=" + "x" * 5000,
        "knowledge_base=../x",
        "knowledge_base=UPPER",
        "knowledge_base=default%0A",
        "knowledge_base=",
    ],
)
async def test_senseless_parameters_are_400(stack, query):
    response = await stack.client.get(f"/v1/documents?{query}")
    assert response.status_code == 400, response.text
    assert not stack.ingest.seen


async def test_ingest_being_down_is_503_that_names_it(stack):
    stack.ingest.down = True
    response = await stack.client.put("/v1/documents/a.md", content=b"x")
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert "ingest" in response.json()["error"]["message"]
