"""POST and GET /v1/feedback."""

import json
import uuid

import pytest
from prometheus_client import REGISTRY
from trainer.app import create_app


@pytest.fixture
def submission(make_answer):
    def make(rating="down", *, comment=None, correction=None, **answer):
        record = make_answer(**answer).model_dump(mode="json")
        return {"answer": record, "rating": rating, "comment": comment, "correction": correction}

    return make


@pytest.fixture
def release() -> str:
    """A release that no other test has counted votes of."""
    return f"rel_{uuid.uuid4().hex[:12]}"


def counted(release, rating):
    return REGISTRY.get_sample_value("nexus_feedback_total", {"release": release, "rating": rating})


async def test_nobody_votes_without_the_internal_token(anonymous, submission):
    response = await anonymous.post("/v1/feedback", json=submission())
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"


async def test_a_vote_is_kept_with_its_correction(client, submission):
    response = await client.post("/v1/feedback", json=submission(correction="One minute."))
    assert response.status_code == 201
    receipt = response.json()
    assert (receipt["answer_id"], receipt["rating"], receipt["replaced"]) == ("ans_1", "down", False)
    (shown,) = (await client.get("/v1/feedback")).json()["feedback"]
    assert shown["feedback_id"] == receipt["feedback_id"]
    assert (shown["correction"], shown["question"]) == ("One minute.", "How long is the interval?")
    assert shown["created_at"] == receipt["created_at"]


async def test_a_second_vote_replaces_the_first(client, submission):
    first = (await client.post("/v1/feedback", json=submission("down"))).json()
    second = (await client.post("/v1/feedback", json=submission("up"))).json()
    assert (second["feedback_id"], second["replaced"]) == (first["feedback_id"], True)
    assert [vote["rating"] for vote in (await client.get("/v1/feedback")).json()["feedback"]] == ["up"]


async def test_another_tenants_answer_does_not_exist(client, submission):
    response = await client.post("/v1/feedback", json=submission(tenant="other"))
    assert response.status_code == 404
    assert response.json()["error"]["param"] == "answer_id"


async def test_another_tenants_votes_are_not_seen(client, submission):
    await client.post("/v1/feedback", json=submission())
    assert (await client.get("/v1/feedback", headers={"x-nexus-tenant": "other"})).json()["feedback"] == []


@pytest.mark.parametrize("key_id", ["", "a b", "x" * 200])
async def test_a_vote_belongs_to_a_key(client, submission, key_id):
    response = await client.post("/v1/feedback", json=submission(), headers={"x-nexus-key-id": key_id})
    assert response.status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"rating": "sideways"},
        {"rating": None},
        {"answer": None},
        {"answer": {"answer_id": "ans_1"}},
        {"comment": "x" * 4_001},
        {"correction": "x" * 20_001},
        {"comment": "a\0b"},
        {"correction": ["x"]},
    ],
)
async def test_a_senseless_vote_is_400(client, submission, change):
    response = await client.post("/v1/feedback", json=submission() | change)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b'{"rating": "\\ud800"}', b"[" * 100_000, b'{"comment": "\\ud800"}']
)
async def test_a_body_that_is_not_a_vote_is_400(client, body):
    response = await client.post("/v1/feedback", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["message"]


async def test_a_lone_surrogate_in_a_comment_is_400(client, submission):
    raw = json.dumps(submission(comment="X")).replace('"X"', '"\\ud800"').encode()
    response = await client.post("/v1/feedback", content=raw, headers={"content-type": "application/json"})
    assert response.status_code == 400


async def test_pages_hold_every_vote_once(client, submission):
    for number in range(5):
        await client.post("/v1/feedback", json=submission(answer_id=f"ans_{number}"))
    seen, cursor = [], None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/feedback", params=query)).json()
        seen += [vote["answer_id"] for vote in page["feedback"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["ans_4", "ans_3", "ans_2", "ans_1", "ans_0"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=x", "limit=99999999999999999999", "cursor=x", "cursor=0"]
)
async def test_a_senseless_page_is_400(client, query):
    assert (await client.get(f"/v1/feedback?{query}")).status_code == 400


async def test_votes_are_counted_by_release_and_repeats_are_not(client, submission, release):
    for rating in ("down", "down", "up"):
        await client.post("/v1/feedback", json=submission(rating, release=release))
    assert (counted(release, "down"), counted(release, "up")) == (1, 1)


async def test_after_a_start_the_releases_of_old_are_counted_from_zero(settings, store, make_vote, release):
    vote = make_vote("down", release=release)
    store.keep(vote, now=vote.answer.created_at)
    assert counted(release, "down") is None
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        assert (counted(release, "down"), counted(release, "up")) == (0, 0)
