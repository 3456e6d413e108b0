"""A TEST DOUBLE of the gateway, over HTTP, with made-up answers: for looking at the pages while building them, and for
tests of the real server. It answers nothing from documents.

    uvicorn --app-dir services/ui/tests fake_gateway:app --port 18080
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import fake_improvement
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

HANDBOOK = """# Retention

Prometheus keeps its data on local disk. To change how long samples are kept, set `--storage.tsdb.retention.time` when
you start the server. If both the time and size retention policies are specified, whichever triggers first will be used.

The default retention is 15 days. Samples older than that are removed in the background, and it may take up to two hours
to remove expired blocks. A block is a directory that holds a window of samples.
"""
PASSAGE = HANDBOOK.split("\n\n", 1)[1].strip()
QUOTE = "The default retention is 15 days."
STEPS = """```sh
helm repo add nexus https://example.invalid/charts
helm upgrade --install nexus nexus/nexus --namespace nexus --create-namespace
```"""
NOW = datetime.now(UTC).isoformat()


class State:
    """What the double remembers."""

    def __init__(self) -> None:
        self.bases: dict[str, dict[str, dict[str, object]]] = {"default": {}, "handbook": {}}
        self.bytes: dict[str, bytes] = {}
        self.feedback: list[dict[str, object]] = []
        self.letters = [
            {
                "id": "d0c1",
                "document": "legal/contract-2019.pdf",
                "knowledge_base": "default",
                "reason": "The PDF is encrypted; save it without a password and put it in again.",
            }
        ]
        self.down: set[str] = set()
        for name in (
            "prometheus/storage.md prometheus/getting-started.md prometheus/configuration.md alerting/overview.md "
            "helm/installing-and-upgrading-a-release-with-values-from-several-files.md helm/charts.md "
            "guides/onboarding.docx reports/2026-q3-results.pdf reports/2026-q2-results.pdf"
        ).split():
            self.put("default", name, HANDBOOK.encode(), "indexed", 7)
        self.put("default", "legal/contract-2019.pdf", b"%PDF", "failed", 0)
        self.bases["default"]["legal/contract-2019.pdf"]["error"] = self.letters[0]["reason"]

    def put(self, base: str, key: str, data: bytes, status: str, chunks: int) -> None:
        self.bytes[key] = data
        self.bases.setdefault(base, {})[key] = {
            "document": key,
            "knowledge_base": base,
            "etag": "e",
            "status": status,
            "chunks": chunks,
            "error": None,
            "updated_at": NOW,
            "since": time.monotonic(),
        }


def error(status: int, message: str, code: str) -> JSONResponse:
    body = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    return JSONResponse(body, status)


def moved_on(row: dict[str, object]) -> dict[str, object]:
    """Documents put in are indexed after a few seconds."""
    if row["status"] in ("queued", "indexing"):
        age = time.monotonic() - float(str(row["since"]))
        broken = str(row["document"]).endswith(".bin")
        row["status"] = "queued" if age < 1.5 else "indexing" if age < 4 else "failed" if broken else "indexed"
        row["chunks"] = 9 if row["status"] == "indexed" else 0
        row["error"] = "This kind of file cannot be read." if row["status"] == "failed" else None
    return {name: value for name, value in row.items() if name != "since"}


def answer(question: str) -> tuple[str, list[dict[str, object]], bool]:
    """A made-up answer for the kind of question."""
    place = {"document": "prometheus/storage.md", "title": "Storage", "chunk_id": "chk_1", "score": 0.8, "page": None}
    if "capital" in question:
        return "The documents do not say.", [], True
    if "install" in question.lower():
        text = f"Add the repository, then install the chart [1]:\n\n{STEPS}\n\nValues can come from several files [2]."
        chart = {**place, "document": "helm/charts.md", "title": "Charts", "chunk_id": "chk_2"}
        quotes = [{**chart, "index": 1, "quote": "helm repo add nexus"}, {**chart, "index": 2, "quote": "Values"}]
        return text, quotes, False
    report = {**place, "document": "reports/2026-q3-results.pdf", "title": "Results of the third quarter", "page": 12}
    text = f'15 days. "{QUOTE}" [1] It can be changed with `--storage.tsdb.retention.time` [2].'
    second = "it may take up to two hours\nto remove expired blocks"
    return text, [{**place, "index": 1, "quote": QUOTE}, {**report, "index": 2, "quote": second}], False


async def chat(request: Request) -> Response:
    body = await request.json()
    question = body["messages"][-1]["content"]
    if "overload" in question:
        return error(503, "Too many questions at once.", "overloaded")
    text, citations, abstained = answer(question)

    async def stream() -> AsyncIterator[str]:
        base = {"id": f"ans_{abs(hash(question)):x}", "object": "chat.completion.chunk", "model": "nexus"}
        await asyncio.sleep(30 if "slowly" in question else 0.2)
        for piece in re.findall(r"\S+\s*", text):
            choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
            yield f"data: {json.dumps({**base, 'choices': [choice]})}\n\n"
            await asyncio.sleep(0.3 if "step" in question else 0.02)
            if "break" in question:
                yield 'data: {"error": {"message": "The reader went away."}}\n\n'
                return
        nexus = {
            "release": "rel_5f0c2a9be417",
            "abstained": abstained,
            "conversation_id": "conv_1",
            "knowledge_base": body.get("nexus", {}).get("knowledge_base", "default"),
            "timings": {"retrieve": 0.021, "read": 0.173},
        }
        last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "citations": citations, "nexus": nexus}
        yield f"data: {json.dumps({**base, **last})}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream")


async def search(request: Request) -> Response:
    hits = [
        {"document": "prometheus/storage.md", "chunk_id": "chk_1", "text": PASSAGE, "score": 0.9, "page": None},
        {"document": "reports/2026-q3-results.pdf", "chunk_id": "chk_1", "text": PASSAGE, "score": 0.8, "page": 12},
        {
            "document": "helm/charts.md",
            "chunk_id": "chk_2",
            "text": "To install a chart from a repository, add the repository first.\n\nhelm repo add nexus "
            "https://example.invalid/charts\n\nHelm Chart is a package. Values may be given in several files.",
            "score": 0.7,
            "page": None,
        },
    ]
    return JSONResponse({"hits": hits})


async def bases(request: Request) -> Response:
    state: State = request.app.state.double
    rows = [{"name": name, "documents": len(rows), "chunks": 0} for name, rows in state.bases.items()]
    return JSONResponse({"knowledge_bases": rows})


async def documents(request: Request) -> Response:
    state: State = request.app.state.double
    rows = state.bases.get(request.query_params.get("knowledge_base", "default"), {})
    prefix = request.query_params.get("prefix", "")
    shown = [moved_on(rows[key]) for key in sorted(rows) if key.startswith(prefix)]
    return JSONResponse({"documents": shown, "next_cursor": None, "total": len(shown)})


async def document(request: Request) -> Response:
    state: State = request.app.state.double
    base, key = request.query_params.get("knowledge_base", "default"), request.path_params["key"]
    if request.method == "PUT":
        state.put(base, key, await request.body(), "queued", 0)
    elif key.endswith("/content"):
        key = key.removesuffix("/content")
        return Response(state.bytes[key], media_type="text/markdown") if key in state.bytes else missing()
    rows = state.bases.get(base, {})
    if key not in rows:
        return missing()
    if request.method == "DELETE":
        return JSONResponse({**moved_on(rows.pop(key)), "status": "deleted"}, 202)
    return JSONResponse(moved_on(rows[key]), 202 if request.method == "PUT" else 200)


def missing() -> JSONResponse:
    return error(404, "There is no such document.", "not_found")


async def feedback(request: Request) -> Response:
    state: State = request.app.state.double
    state.feedback.append(await request.json())
    return JSONResponse({**state.feedback[-1], "created_at": NOW}, 201)


async def status(request: Request) -> Response:
    down = request.app.state.double.down
    services = {
        "gateway": {"status": "ready", "checks": {"redis": "ok"}},
        "rag": {"status": "ready", "checks": {"milvus": "ok", "triton": "ok", "redis": "ok", "database": "ok"}},
        "ingest": {"status": "ready", "checks": {"milvus": "ok", "broker": "ok", "store": "ok", "database": "ok"}},
        "trainer": {"status": "degraded", "checks": {"database": "ok", "mlflow": "no answer within 2 s"}},
        "alert-bridge": {"status": "ready", "checks": {"database": "ok"}},
    }
    for name in down:
        services[name] = {"status": "unavailable", "checks": {name: "connection refused"}}
    return JSONResponse({"status": "unavailable" if down else "degraded", "services": services})


async def letters(request: Request) -> Response:
    return JSONResponse({"dead_letters": request.app.state.double.letters})


async def replay(request: Request) -> Response:
    state: State = request.app.state.double
    state.letters = [letter for letter in state.letters if letter["id"] != request.path_params["id"]]
    return JSONResponse({"status": "queued"}, 202)


async def alive(_: Request) -> Response:
    return JSONResponse({"status": "alive"})


def create_fake() -> Starlette:
    """The double with fresh state."""
    double = Starlette(
        routes=[
            Route("/livez", alive),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/search", search, methods=["POST"]),
            Route("/v1/feedback", feedback, methods=["POST"]),
            Route("/v1/knowledge-bases", bases),
            Route("/v1/documents", documents),
            Route("/v1/documents/{key:path}", document, methods=["GET", "PUT", "DELETE"]),
            Route("/v1/status", status),
            Route("/v1/dead-letters", letters),
            Route("/v1/dead-letters/{id}/replay", replay, methods=["POST"]),
            *fake_improvement.ROUTES,
        ]
    )
    double.state.double = State()
    double.state.improvement = fake_improvement.State()
    return double


app = create_fake()
