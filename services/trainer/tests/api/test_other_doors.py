"""Runs, releases, health and documentation."""

import pytest
from sqlalchemy import text


@pytest.fixture
async def voted(client, make_answer):
    body = {"answer": make_answer().model_dump(mode="json"), "rating": "up"}
    assert (await client.post("/v1/feedback", json=body)).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/feedback"),
        ("GET", "/v1/runs"),
        ("POST", "/v1/runs"),
        ("GET", "/v1/runs/run_1"),
        ("GET", "/v1/releases"),
        ("GET", "/v1/releases/rel_1"),
        ("POST", "/v1/releases/rel_1/promote"),
        ("POST", "/v1/releases/rollback"),
    ],
)
async def test_every_door_wants_the_internal_token(anonymous, method, path):
    assert (await anonymous.request(method, path)).status_code == 401


async def test_there_are_no_runs_and_none_is_pretended(client):
    response = await client.post("/v1/runs", json={})
    assert response.status_code == 409
    assert response.json()["error"]["code"] == "not_in_this_version"
    assert (await client.get("/v1/runs", params={"limit": 10})).json()["runs"] == []
    assert (await client.get("/v1/runs/run_1")).status_code == 404
    assert 'nexus_runs_total{outcome="refused"}' in (await client.get("/metrics")).text


async def test_a_release_is_known_once_somebody_voted_on_it(client, voted):
    (release,) = (await client.get("/v1/releases")).json()["releases"]
    assert (release["id"], release["votes"]) == ("rel_1", {"up": 1, "down": 0})
    assert (await client.get("/v1/releases/rel_1")).json() == release
    assert (await client.get("/v1/releases/rel_2")).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/releases/rel_1/promote", None, 409),
        ("/v1/releases/rel_2/promote", None, 404),
        ("/v1/releases/rollback", None, 409),
        ("/v1/releases/rollback", {}, 409),
        ("/v1/releases/rollback", {"release": "rel_1"}, 409),
        ("/v1/releases/rollback", {"release": "rel_2"}, 404),
        ("/v1/releases/rollback", {"release": 5}, 400),
    ],
)
async def test_no_release_can_be_switched_to(client, voted, path, body, status):
    assert (await client.post(path, json=body)).status_code == status


async def test_without_mlflow_and_broker_votes_are_still_taken(anonymous):
    response = await anonymous.get("/readyz")
    readiness = response.json()
    assert (response.status_code, readiness["status"]) == (200, "degraded")
    assert readiness["checks"]["database"] == "ok"
    assert {name for name, verdict in readiness["checks"].items() if verdict != "ok"} == {"mlflow", "broker"}


async def test_without_its_tables_a_vote_is_refused_with_503(client, engine, make_answer):
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE feedback"))
    response = await client.post("/v1/feedback", json={"answer": make_answer().model_dump(mode="json"), "rating": "up"})
    assert response.status_code == 503
    assert response.headers["retry-after"]


async def test_the_documentation_names_every_operation(anonymous):
    page = (await anonymous.get("/openapi.json")).json()
    operations = [operation for path in page["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == 11
    assert all(operation["summary"] and operation["tags"] for operation in operations)
