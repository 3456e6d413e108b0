"""Made-up rows for the TEST DOUBLE: runs, verdicts, releases and incidents, as the platform would tell of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

STAGES = (
    "prepare-data retrain-model benchmark-model-gold benchmark-model-specific hallucination-evaluation "
    "factcheck-evaluation subject-matter-evaluation log-model-metrics gate log-model model-deployment"
).split()
PROMOTED = "It did no worse over 104 answers of the challenger and 388 of the champion."
SAYS = (
    "214 examples of 61 votes; 12 left out for personal data",
    "3 epochs, loss 0.41 to 0.12",
    "exact match 61.0% before, 60.6% now, over 500 questions",
    "exact match 38.1% before, 57.1% now, over 42 questions",
    "answered what no passage answers: 6.2% before, 5.9% now",
    "says something else than the documents: 2.1% before, 2.4% now",
    "3 of 4 subjects gained, 1 lost",
    "written down as run 7f2c in MLflow",
    "The candidate passes.",
    "rel_9d41c07be2aa is reader version 3",
    f"rel_9d41c07be2aa was promoted by pipeline: {PROMOTED}",
)
BORN = datetime.now(UTC)
OLD, NEW, REFUSED = "rel_5f0c2a9be417", "rel_9d41c07be2aa", "rel_31e8804cc5d2"
HOSTILE = '<img src=x onerror="alert(1)"> ![x](http://evil.invalid/x.png) :red[$x$]'
Row = dict[str, Any]


def ago(**past: float) -> str:
    return (BORN - timedelta(**past)).isoformat()


def check(name: str, before: float | None, now: float | None, change: tuple[float, float, float], rule: str) -> Row:
    """A figure with its change: the difference, and the ends of its interval."""
    return {
        "name": name,
        "passed": True,
        "champion": before,
        "candidate": now,
        "difference": change[0],
        "low": change[1],
        "high": change[2],
        "questions": 42,
        "says": f"{name}: before and now; {rule}",
    }


def verdict(*, passes: bool) -> Row:
    refuses = check("gold, answerable refused", 0.05, 0.04, (0.01, -0.01, 0.03), "may lose 5.0% at most")
    if not passes:
        refuses |= {"passed": False, "candidate": 0.14, "difference": -0.09, "low": -0.12, "high": -0.06}
    slow = check(
        "seconds of an answer, 95th percentile", 0.41, 0.44, (0.03, 0, 0), "may take 1.3 times as long at most"
    )
    return {
        "decision": "promote" if passes else "reject",
        "checks": [
            check("specific", 0.381, 0.571, (0.19, 0.048, 0.333), "must win by 2.0% beyond chance"),
            check("gold", 0.642, 0.637, (-0.005, -0.013, 0.004), "may lose 2.0% at most"),
            check("gold, unanswerable refused", 0.93, 0.94, (0.01, -0.01, 0.03), "may lose 5.0% at most"),
            refuses,
            check("supported by what it cites", 0.981, 0.984, (0.003, -0.004, 0.01), "may lose 2.0% at most"),
            check("contradicts the documents", 0.021, 0.024, (-0.003, -0.012, 0.006), "may lose 2.0% at most"),
            check("free of personal data of its own", 1.0, 1.0, (0.0, 0.0, 0.0), "may lose 0.5% at most"),
            check("worst subject", None, None, (0.01, -0.08, 0.1), "may lose 15% at most"),
            slow | {"low": None, "high": None},
        ],
        "reasons": [] if passes else ["gold, answerable refused: 5.0% before, 14.0% now; may lose 5.0% at most"],
    }


def stages(ended: int, begun: datetime, *, seconds: float = 40, failed: bool = False) -> list[Row]:
    """So many stages that are done, the last of them perhaps not well."""
    rows, at = [], begun
    for number, name in enumerate(STAGES[:ended]):
        took = timedelta(seconds=seconds * (9 if name == "retrain-model" else 1))
        last = failed and number == ended - 1
        rows.append(
            {
                "stage": name,
                "status": "failed" if last else "done",
                "started_at": at.isoformat(),
                "finished_at": (at + took).isoformat(),
                "seconds": took.total_seconds(),
                "attempts": 3 if last else 1,
                "says": "It was killed 3 times; is there too little memory?" if last else SAYS[number],
            }
        )
        at += took
    return rows


def run(name: str, hours: float, outcome: str | None, ended: int, says: str, **more: Any) -> Row:
    begun = BORN - timedelta(hours=hours)
    rows = stages(ended, begun, failed=outcome == "failed")
    if outcome == "rejected":
        rows[-1]["says"] = says
    return {
        "id": name,
        "status": "failed" if outcome == "failed" else "done",
        "outcome": outcome,
        "stage": None,
        "target": "reader",
        "incident": None,
        "alertname": None,
        "reason": "asked for by hand",
        "knowledge_base": None,
        "started_by": "key_ops",
        "created_at": begun.isoformat(),
        "finished_at": rows[-1]["finished_at"] if rows else None,
        "says": says,
        "release": None,
        "stages": rows,
        "verdict": None,
        **more,
    }


def release(name: str, state: str, hours: float, up: int, down: int, **more: Any) -> Row:
    return {
        "id": name,
        "state": state,
        "alias": None,
        "share": 0.0,
        "run": None,
        "reader": "c0ffee",
        "first_seen": ago(hours=hours),
        "last_seen": ago(minutes=3),
        "votes": {"up": up, "down": down},
        "parts": None,
        "settings": {"prompt": {"style": "short"}, "retrieval": {"top_k": 8}},
        "history": [],
        **more,
    }


def change(hours: float, before: str, after: str, why: str, who: str = "pipeline") -> Row:
    return {"at": ago(hours=hours), "before": before, "after": after, "who": who, "why": why}


def incident(name: str, alertname: str, began: float, decision: str, reason: str, **more: Any) -> Row:
    return {
        "id": name,
        "alertname": alertname,
        "severity": "warning",
        "status": "firing",
        "decision": decision,
        "reason": reason,
        "run": None,
        "run_outcome": None,
        "labels": {"alertname": alertname},
        "annotations": {"summary": "41% of votes are down votes."},
        "starts_at": ago(hours=began),
        "ends_at": None,
        "first_received": ago(hours=began),
        "last_received": ago(minutes=1),
        "messages": 2,
        **more,
    }


def past_runs() -> list[Row]:
    alert = {"incident": "inc_4c1f09aa7d21", "alertname": "NexusAnswerQualityLow", "started_by": "alert-bridge"}
    refused = "Refused: gold, answerable refused: 5.0% before, 14.0% now; may lose 5.0% at most"
    good, bad = verdict(passes=True), verdict(passes=False)
    return [
        run("run_8a61d0c2f7b94e13", 3, "promoted", 11, SAYS[-1], release=NEW, verdict=good, **alert),
        run("run_19fe77ab03c2d458", 9, "rejected", 9, refused, verdict=bad),
        run("run_77c0b1d2e3f4a596", 26, "failed", 2, "retrain-model: it was killed 3 times.", reason=HOSTILE),
        run("run_0d1e2f3a4b5c6d7e", 50, "no_data", 1, "There are 4 votes with corrections; 20 are needed."),
    ]


def known_releases() -> list[Row]:
    parts = {"base_release": OLD, "reader": "9d41c07be2aa55", "data": "aa11bb22cc33", "verdict": verdict(passes=True)}
    history = [
        change(2.2, "candidate", "challenger", "run run_8a61d0c2f7b94e13"),
        change(2.0, "challenger", "champion", PROMOTED),
    ]
    made = {"alias": "champion", "run": "run_8a61d0c2f7b94e13", "parts": parts, "history": history}
    return [
        release(NEW, "champion", 2.3, 41, 5, **made),
        release(REFUSED, "rejected", 9, 0, 0, run="run_19fe77ab03c2d458"),
        release(OLD, "start", 700, 812, 377),
    ]


def known_incidents() -> list[Row]:
    nothing = "The alert asks for nothing: it has no label nexus_action."
    started = {"run": "run_8a61d0c2f7b94e13", "run_outcome": "promoted", "status": "resolved", "messages": 9}
    reason = "Run run_8a61d0c2f7b94e13 of reader was started."
    hostile = {"annotations": {"summary": HOSTILE}}
    return [
        incident("inc_90ab12cd34ef", "NexusRagUnavailable", 0.1, "ignored", nothing, **hostile),
        incident("inc_4c1f09aa7d21", "NexusAnswerQualityLow", 3, "started", reason, ends_at=ago(hours=1), **started),
    ]
