"""Events, dead letters, health, metrics, the description of the API, and the watched folder."""

import asyncio
import json

import httpx
import pytest
from ingest.app import create_app
from ingest.keys import DocumentName
from pydantic import SecretStr


def notification(key: str) -> str:
    return json.dumps({"Records": [{"eventName": "s3:ObjectCreated:Put", "s3": {"object": {"key": key}}}]})


async def until(condition, *, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in a file system
            await asyncio.sleep(0.05)


class TestEvents:
    async def test_the_door_answers_head_and_needs_no_internal_token(self, anonymous):
        assert (await anonymous.head("/events/s3")).status_code == 200
        response = await anonymous.post("/events/s3", content=notification("acme/default/gone.md"))
        assert response.status_code == 202
        assert response.json() == {"noticed": 1, "changed": 0}

    async def test_an_event_is_a_hint_to_look_at_the_store(self, anonymous, client, folder, app):
        app.state.services.store.put(named("a b.md"), b"text here")
        response = await anonymous.post("/events/s3", content=notification("acme/default/a+b.md"))
        assert response.json()["noticed"] == 1
        assert (await client.get("/v1/documents/a b.md")).json()["status"] == "queued"

    @pytest.mark.parametrize("body", [b"", b"{}", b"[" * 200_000, b'{"Records": "x"}', b"\xff"])
    async def test_nonsense_is_400(self, anonymous, body):
        assert (await anonymous.post("/events/s3", content=body)).status_code == 400

    async def test_a_token_is_asked_for_when_one_is_set(self, settings):
        app = create_app(settings.model_copy(update={"events_token": SecretStr("secret-token")}))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingest") as anonymous,
        ):
            assert (await anonymous.head("/events/s3")).status_code == 401
            good = {"authorization": "Bearer secret-token"}
            assert (await anonymous.head("/events/s3", headers=good)).status_code == 200

    async def test_overwriting_and_deleting_reach_the_document_by_events_alone(self, anonymous, client, app):
        store = app.state.services.store

        async def told(event: str) -> dict:
            body = json.dumps(
                {
                    "EventName": event,
                    "Key": "nexus/acme/default/a b.md",
                    "Records": [{"eventName": event, "s3": {"object": {"key": "acme%2Fdefault%2Fa+b.md"}}}],
                }
            )
            headers = {"content-type": "application/json", "user-agent": "Go-http-client/1.1"}
            response = await anonymous.post("/events/s3", content=body, headers=headers)
            assert response.status_code == 202
            return response.json() | (await client.get("/v1/documents/a b.md")).json()

        store.put(named("a b.md"), b"one")
        first = await told("s3:ObjectCreated:Put")
        store.put(named("a b.md"), b"two")
        second = await told("s3:ObjectCreated:CompleteMultipartUpload")
        assert (first["changed"], second["changed"], second["etag"] != first["etag"]) == (1, 1, True)
        assert (await told("s3:ObjectCreated:Put"))["changed"] == 0  # late, and old news
        store.delete(named("a b.md"))
        assert (await told("s3:ObjectRemoved:DeleteMarkerCreated"))["status"] == "deleted"
        assert (await told("s3:ObjectRemoved:Delete"))["changed"] == 0


class TestDeadLetters:
    async def test_there_are_none_and_unknown_ones_are_404(self, client):
        assert (await client.get("/v1/dead-letters")).json() == {"dead_letters": []}
        assert (await client.post("/v1/dead-letters/unknown/replay")).status_code == 404

    async def test_one_is_listed_for_its_tenant_and_replayed(self, client, app):
        services = app.state.services
        await client.put("/v1/documents/a.md", content=b"x")
        claim = services.claims.claim(named("a.md").id, "worker")
        services.claims.given_up(claim, "It is cursed.")
        (letter,) = (await client.get("/v1/dead-letters")).json()["dead_letters"]
        assert (letter["document"], letter["reason"]) == ("a.md", "It is cursed.")
        assert (await client.get("/v1/documents/a.md")).json()["error"] == "It is cursed."
        other = {"x-nexus-tenant": "other"}
        assert (await client.get("/v1/dead-letters", headers=other)).json() == {"dead_letters": []}
        assert (await client.post(f"/v1/dead-letters/{letter['id']}/replay", headers=other)).status_code == 404
        replayed = await client.post(f"/v1/dead-letters/{letter['id']}/replay")
        assert (replayed.status_code, replayed.json()["status"]) == (202, "queued")
        assert (await client.get("/v1/dead-letters")).json() == {"dead_letters": []}


class TestOperations:
    async def test_it_is_alive_but_not_ready_and_says_what_is_down(self, anonymous):
        assert (await anonymous.get("/livez")).status_code == 200
        response = await anonymous.get("/readyz")
        assert response.status_code == 503
        assert response.headers["retry-after"]
        checks = response.json()["checks"]
        assert (checks["store"], checks["catalogue"]) == ("ok", "ok")
        assert all(checks[name] != "ok" for name in ("queue", "milvus", "embedder"))

    async def test_the_gauges_mirror_the_catalogue(self, client, anonymous):
        await client.put("/v1/documents/a.md", content=b"x")

        async def shown() -> bool:
            text = (await anonymous.get("/metrics")).text
            return 'nexus_documents{status="queued"} 1.0' in text and "nexus_dead_letters 0.0" in text

        await until(shown)
        lines = (await anonymous.get("/metrics")).text.splitlines()
        (lag,) = [line for line in lines if line.startswith("nexus_ingest_lag_seconds ")]
        assert 0 <= float(lag.split()[1]) < 60
        assert not [line for line in lines if line.startswith("nexus_embeddings_total")]  # the worker's

    async def test_every_operation_is_described(self, anonymous):
        api = (await anonymous.get("/openapi.json")).json()
        operations = [operation for path in api["paths"].values() for operation in path.values()]
        assert all(operation["summary"] and operation["operationId"].islower() for operation in operations)
        assert len({operation["operationId"] for operation in operations}) == len(operations)


class TestTheWatchedFolder:
    async def test_a_file_is_noticed_when_dropped_edited_and_removed(self, client, folder):
        await asyncio.sleep(0.3)  # the watcher begins to watch

        async def status() -> dict:
            return (await client.get("/v1/documents/drop/a.md")).json()

        (folder / "drop").mkdir(parents=True)
        (folder / "drop" / "a.md").write_text("one")
        await until(lambda: found(status, "status", "queued"))
        before = (await status())["etag"]
        (folder / "drop" / "a.md").write_text("two")
        await until(lambda: differs(status, "etag", before))
        (folder / "drop" / "a.md").unlink()
        await until(lambda: found(status, "status", "deleted"))

    async def test_a_moved_folder_takes_its_documents_along(self, client, folder):
        await asyncio.sleep(0.3)
        await client.put("/v1/documents/old/a.md", content=b"text")
        await asyncio.sleep(0.6)
        (folder / "old").rename(folder / "new")

        async def moved() -> bool:
            documents = (await client.get("/v1/documents")).json()["documents"]
            return [document["document"] for document in documents] == ["new/a.md"]

        await until(moved)


async def found(look, field: str, value: str) -> bool:
    return (await look()).get(field) == value


async def differs(look, field: str, value: str) -> bool:
    return (await look()).get(field) != value


def named(key: str):
    return DocumentName("acme", "default", key)
