"""The two loops, each watched from its first cause to its last effect."""

from collections.abc import Sequence
from typing import Any

from demo.gateway import Gateway
from demo.knowledge import DOCUMENTS, Question
from demo.prometheus import Prometheus
from demo.timeline import NeverHappened, Timeline
from demo.users import Tally, Traffic, ask_all, ask_and_judge

ALERT = "NexusAnswerQualityLow"
MINUTES = 60.0
SECONDS_BETWEEN_QUESTIONS = 1.0


def ingest(admin: Gateway, timeline: Timeline) -> None:
    """The knowledge base goes in, and can be searched."""
    keys = sorted(path.name for path in DOCUMENTS.glob("*.md"))
    for key in keys:
        admin.put(key, (DOCUMENTS / key).read_text(encoding="utf-8"))
    timeline.note("documents put in", f"{len(keys)}")
    waiting = set(keys)

    def all_there() -> bool:
        waiting.difference_update([key for key in waiting if admin.status_of(key) == "indexed"])
        return not waiting

    timeline.wait_for("documents indexed", all_there, seconds=3 * MINUTES)
    timeline.note("documents indexed")


def model_loop(
    admin: Gateway,
    users: Sequence[Gateway],
    prometheus: Prometheus,
    asked: Sequence[Question],
    held_out: Sequence[Question],
    timeline: Timeline,
) -> tuple[Tally, Tally]:
    """From bad answers to a better release; what the held-out questions got before and after."""
    before = ask_all(admin, held_out)
    timeline.note("held-out questions asked", f"{before.share:.0%} of {before.asked} right, {before.refused} refused")
    tally = ask_and_judge(users, asked)
    timeline.note("users asked and corrected", f"{tally.share:.0%} of {tally.asked} right")
    timeline.wait_for("alert fired", lambda: prometheus.firing(ALERT), seconds=3 * MINUTES)
    timeline.note("alert fired", ALERT)
    incident = timeline.wait_for("incident", lambda: _incident(admin), seconds=2 * MINUTES)
    timeline.note("incident", f"{incident['id']} {incident['decision']}")
    run = timeline.wait_for("run", lambda: _run(admin, incident["run"]), seconds=1 * MINUTES)
    timeline.note("run accepted", run["id"])
    with Traffic(users, asked, every_seconds=SECONDS_BETWEEN_QUESTIONS) as traffic:
        _follow(admin, run["id"], timeline)
        # They go on judging: it is their votes that end it, not that there are none.
        timeline.wait_for("alert resolved", lambda: not prometheus.firing(ALERT), seconds=6 * MINUTES)
    timeline.note("alert resolved")
    for release, heard in traffic.by_release.items():
        timeline.remark(f"meanwhile users asked {release} {heard.asked} of their questions: {heard.share:.0%} right")
    if traffic.failed:
        raise NeverHappened(f"answers without a failure: {len(traffic.failed)} failed, such as {traffic.failed[0]}")
    after = ask_all(admin, held_out)
    timeline.note(
        "held-out questions asked again", f"{after.share:.0%} of {after.asked} right, {after.refused} refused"
    )
    return before, after


def data_loop(admin: Gateway, edited: dict[str, str], deleted: dict[str, str], timeline: Timeline) -> None:
    """An edit and a deletion reach the answers."""
    text = (DOCUMENTS / edited["document"]).read_text(encoding="utf-8")
    admin.put(edited["document"], text.replace(edited["before"], edited["after"]))
    timeline.note("document edited", edited["document"])
    timeline.wait_for(
        "the edit answers", lambda: edited["answer"] in admin.ask(edited["question"]).text, seconds=1 * MINUTES
    )
    timeline.note("the edit answers", edited["answer"])
    admin.delete(deleted["document"])
    timeline.note("document deleted", deleted["document"])

    def is_gone() -> bool:
        return deleted["document"] not in admin.ask(deleted["question"]).documents

    timeline.wait_for("the deletion answers", is_gone, seconds=1 * MINUTES)
    timeline.note("the deletion answers", "the document is cited no more")


def _incident(admin: Gateway) -> dict[str, Any] | None:
    found = admin.get("/v1/incidents")["incidents"]
    return next((one for one in found if one["alertname"] == ALERT and one["run"]), None)


def _run(admin: Gateway, run_id: str) -> dict[str, Any] | None:
    return next((one for one in admin.get("/v1/runs")["runs"] if one["id"] == run_id), None)


def _follow(admin: Gateway, run_id: str, timeline: Timeline) -> None:
    """Each stage as it ends. Raises NeverHappened: the run did not end in a promotion."""
    told: set[str] = set()

    def ended() -> dict[str, Any] | None:
        run: dict[str, Any] = admin.get(f"/v1/runs/{run_id}")
        for stage in run["stages"]:
            if stage["status"] == "done" and stage["stage"] not in told:
                told.add(stage["stage"])
                timeline.note(stage["stage"], f"{stage['seconds']:.0f} s: {stage['says']}")
                if stage["stage"] == "gate":
                    for check in (run["verdict"] or {}).get("checks", []):
                        timeline.remark(f"{'passed' if check['passed'] else 'FAILED'}  {check['says']}")
        return run if run["outcome"] else None

    run = timeline.wait_for("the run ends", ended, seconds=20 * MINUTES)
    timeline.note("run ended", f"{run['outcome']}: {run['says']}")
    if run["outcome"] != "promoted":
        raise NeverHappened(f"a promotion: the run ended as {run['outcome']}")
