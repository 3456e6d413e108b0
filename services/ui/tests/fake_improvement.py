"""The part of the TEST DOUBLE that improves nothing: made-up runs, releases, incidents, and a Prometheus of its own."""

import math
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from fake_rows import BORN, HOSTILE, NEW, OLD, SAYS, STAGES, Row, known_incidents, known_releases, past_runs
from fake_rows import run as run_row
from fake_rows import stages as stage_rows
from fake_rows import verdict as verdict_row
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

SECONDS_A_STAGE = 8


class State:
    """What this part of the double remembers."""

    def __init__(self) -> None:
        self.runs = past_runs()
        self.releases = known_releases()
        self.incidents = known_incidents()
        self.automation: Row = {"paused": False, "by": None, "reason": None, "changed_at": None}

    def start(self, reason: str) -> Row:
        """A run that goes through a stage every few seconds."""
        made = run_row(f"run_{time.time_ns():x}", 0, None, 0, "", reason=reason)
        made.update(created_at=now().isoformat(), since=time.monotonic())
        self.runs.insert(0, made)
        return moved_on(made)


def now() -> datetime:
    return datetime.now(UTC)


def moved_on(row: Row) -> Row:
    """The run as it is now, if it is under way."""
    if row["outcome"] is None:
        ended, into = divmod(time.monotonic() - row["since"], SECONDS_A_STAGE)
        begun = datetime.fromisoformat(row["created_at"])
        row["stages"] = stage_rows(int(ended), begun, seconds=SECONDS_A_STAGE)
        if ended < len(STAGES):
            current = stage_rows(int(ended) + 1, begun)[-1]
            started = (now() - timedelta(seconds=into)).isoformat()
            current.update(status="running", says="", seconds=None, finished_at=None, started_at=started)
            row.update(stage=current["stage"], stages=[*row["stages"], current], status="running")
        else:
            end = {"outcome": "promoted", "finished_at": now().isoformat(), "says": SAYS[-1], "release": NEW}
            row.update(end, stage=None, status="done", verdict=verdict_row(passes=True))
    return {name: value for name, value in row.items() if name != "since"}


def state_of(request: Request) -> State:
    found: State = request.app.state.improvement
    return found


def error(status: int, message: str, code: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": "error", "param": None, "code": code}}, status)


def missing(what: str) -> JSONResponse:
    return error(404, f"There is no such {what}.", "not_found")


def named(rows: Iterable[Row], request: Request) -> Row | None:
    return next((row for row in rows if row["id"] == request.path_params["id"]), None)


def limited(rows: list[Row], request: Request, name: str) -> JSONResponse:
    return JSONResponse({name: rows[: int(request.query_params.get("limit", 100))], "next_cursor": None})


async def reason_of(request: Request) -> str:
    return str((await request.json()).get("reason") or "by hand")


async def runs(request: Request) -> Response:
    state = state_of(request)
    rows = [{**moved_on(row), "verdict": None} for row in state.runs]
    if request.method == "GET":
        return limited(rows, request, "runs")
    under_way = next((row["id"] for row in rows if row["outcome"] is None), None)
    if under_way:
        return error(409, f"{under_way} is under way; one run at a time.", "run_under_way")
    return JSONResponse(state.start(await reason_of(request)), 202)


async def one_run(request: Request) -> Response:
    found = named(state_of(request).runs, request)
    return JSONResponse(moved_on(found)) if found else missing("run")


async def run_log(request: Request) -> Response:
    found = named(state_of(request).runs, request)
    if found is None:
        return missing("run")
    wanted = request.query_params.get("stage")
    lines = [
        f"{row['started_at'][:19]} {row['stage']}: {text}"
        for row in moved_on(found)["stages"]
        for text in ("begins", *(f"step {number} of 6" for number in range(1, 7)), row["says"] or "…")
        if wanted in (None, row["stage"])
    ]
    return PlainTextResponse("\n".join([*lines, HOSTILE]))


async def releases(request: Request) -> Response:
    return limited([{**row, "parts": None, "history": []} for row in state_of(request).releases], request, "releases")


async def one_release(request: Request) -> Response:
    found = named(state_of(request).releases, request)
    return JSONResponse(found) if found else missing("release")


async def promote(request: Request) -> Response:
    rows = state_of(request).releases
    wanted = named(rows, request)
    return moved(rows, wanted, await reason_of(request)) if wanted else missing("release")


async def roll_back(request: Request) -> Response:
    rows = state_of(request).releases
    before = next(row for row in rows if row["state"] in ("retired", "start"))
    return moved(rows, before, await reason_of(request))


def moved(rows: list[Row], wanted: Row, why: str) -> Response:
    champion = next(row for row in rows if row["alias"] == "champion")
    if wanted is champion:
        return error(409, f"{champion['id']} is the champion already.", "not_possible")
    for row, alias, after in ((champion, None, "retired"), (wanted, "champion", "champion")):
        row["alias"] = alias
        if row["state"] != "start":
            step = {"at": now().isoformat(), "before": row["state"], "after": after, "who": "key_ops", "why": why}
            row["history"].append(step)
            row["state"] = after
    return JSONResponse(wanted)


async def incidents(request: Request) -> Response:
    return limited(state_of(request).incidents, request, "incidents")


async def automation(request: Request) -> Response:
    state = state_of(request)
    if request.method == "PUT":
        wish = await request.json()
        state.automation = {"reason": None, **wish, "by": "key_ops", "changed_at": now().isoformat()}
    return JSONResponse(state.automation)


async def figures(request: Request) -> Response:
    """Waves that get better with the new release, and stop for a while at times."""
    asked = request.query_params
    start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
    turn = (BORN - timedelta(hours=2)).timestamp()
    levels = {OLD: 0.81, NEW: 0.93} if "groundedness" in asked["query"] else {OLD: 0.35, NEW: 0.09}
    times = [start + number * step for number in range(int((end - start) / step) + 1)]
    result = []
    for name, level in levels.items():
        wave = [(at, level + 0.05 * math.sin(at / 700)) for at in times if (at >= turn) == (name == NEW)]
        values = [[at, "NaN" if int(at / 1800) % 6 == 5 else f"{share:.4f}"] for at, share in wave]
        result.append({"metric": {"release": name}, "values": values})
    return JSONResponse({"status": "success", "data": {"resultType": "matrix", "result": result}})


ROUTES = [
    Route("/v1/runs", runs, methods=["GET", "POST"]),
    Route("/v1/runs/{id}", one_run),
    Route("/v1/runs/{id}/log", run_log),
    Route("/v1/releases", releases),
    Route("/v1/releases/rollback", roll_back, methods=["POST"]),
    Route("/v1/releases/{id}", one_release),
    Route("/v1/releases/{id}/promote", promote, methods=["POST"]),
    Route("/v1/incidents", incidents),
    Route("/v1/automation", automation, methods=["GET", "PUT"]),
    Route("/prometheus/api/v1/query_range", figures),
]
