"""Traces in MLflow, over HTTP: spans as OTLP, opinions by MLflow's REST API.

Not by MLflow's tracing client: that one keeps a tracer and a queue for the whole process, draws its own ids, so that
nothing can be told twice, and drops what the server does not take, with a line in the debug log.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from opskit.errors import Unavailable

from trainer.observing.assessments import Assessment
from trainer.observing.ports import Refused, TraceMissing
from trainer.observing.traces import Span, Trace

EXPERIMENT: Final = "nexus-answers"
KEY: Final = "nexus.assessment"
"""The metadata by which an assessment of ours is found again."""

_EXPERIMENTS: Final = "/api/2.0/mlflow/experiments"
_TRACES: Final = "/api/3.0/mlflow/traces"
_TAG: Final = "mlflow.traceTag."
_FORGOTTEN_AT_ONCE: Final = 1000
_NOT_FOUND, _TOO_MANY, _ERROR = 404, 429, 500


class _NotThere(Exception):
    """MLflow has no such trace, or no such experiment."""


class MlflowTraces:
    """Satisfies `Traces`."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._experiment: str | None = None

    def keep(self, traces: Sequence[Trace]) -> None:
        """Keep them, in place of earlier ones: MLflow writes spans over spans with the same ids."""
        self._experiment = self._experiment or self._found_experiment()
        body = {"resourceSpans": [{"scopeSpans": [{"spans": [_otlp(t, span) for t in traces for span in t.spans]}]}]}
        try:
            self._ask("POST", "/v1/traces", json=body, headers={"x-mlflow-experiment-id": self._experiment})
        except _NotThere as exc:
            self._experiment = None  # MLflow was begun anew
            raise Unavailable(str(exc)) from exc

    def assess(self, trace_id: str, assessments: Sequence[Assessment]) -> None:
        """Put opinions beside a trace, in place of earlier ones with the same key."""
        path = f"{_TRACES}/tr-{trace_id}"
        try:
            found = self._ask("GET", path)["trace"]["trace_info"].get("assessments", [])
        except _NotThere as exc:
            raise TraceMissing(str(exc)) from exc
        known = {one.get("metadata", {}).get(KEY): one["assessment_id"] for one in found}
        for one in assessments:
            if one.key in known:
                body = {"assessment": _opinion(trace_id, one), "update_mask": "feedback,rationale"}
                self._ask("PATCH", f"{path}/assessments/{known[one.key]}", json=body)
            else:
                self._ask("POST", f"{path}/assessments", json={"assessment": _new(trace_id, one)})

    def forget(self, *, before: datetime) -> int:
        """Forget traces of answers that were given before then, a thousand at once."""
        self._experiment = self._experiment or self._found_experiment()
        last = int(before.timestamp() * 1000) - 1
        old = {"max_timestamp_millis": str(last), "max_traces": _FORGOTTEN_AT_ONCE}
        done = self._ask("POST", f"{_TRACES}/delete-traces", json={"experiment_id": self._experiment, **old})
        return int(done.get("traces_deleted", 0))

    def _found_experiment(self) -> str:
        try:
            found = self._ask("GET", f"{_EXPERIMENTS}/get-by-name", params={"experiment_name": EXPERIMENT})
        except _NotThere:
            made = self._ask("POST", f"{_EXPERIMENTS}/create", json={"name": EXPERIMENT})
            return str(made["experiment_id"])
        if found["experiment"]["lifecycle_stage"] != "active":
            raise Unavailable(f"MLflow's experiment {EXPERIMENT} was deleted: restore it, or remove it for good.")
        return str(found["experiment"]["experiment_id"])

    def _ask(self, method: str, path: str, **what: Any) -> Any:
        try:
            response = self._client.request(method, path, **what)
        except httpx.HTTPError as exc:
            raise Unavailable(f"MLflow does not answer {path}: {exc!r}"[:300]) from exc
        if response.is_success:
            return response.json() if response.headers.get("content-type", "").startswith("application/json") else None
        said = f"MLflow answers {response.status_code} to {method} {path}: {response.text}"[:500]
        if response.status_code == _NOT_FOUND:
            raise _NotThere(said)
        if response.status_code == _TOO_MANY or response.status_code >= _ERROR:
            raise Unavailable(said)
        raise Refused(said)


def _otlp(trace: Trace, span: Span) -> dict[str, Any]:
    """A span in OTLP's JSON."""
    attributes = {"mlflow.spanType": span.kind, **span.attributes}
    attributes |= {"mlflow.spanInputs": span.inputs, "mlflow.spanOutputs": span.outputs}
    if span.parent is None:
        attributes |= {"session.id": trace.session, "user.id": trace.tags["nexus.tenant"]}
        tags = {"mlflow.traceName": span.name, **trace.tags}
        attributes |= {f"{_TAG}{name}": value for name, value in tags.items()}
    return {
        "traceId": trace.id,
        "spanId": span.id,
        "parentSpanId": span.parent or "",
        "name": span.name,
        "startTimeUnixNano": str(span.start),
        "endTimeUnixNano": str(span.end),
        "attributes": _pairs({name: value for name, value in attributes.items() if value is not None}),
        "events": [{"name": name, "timeUnixNano": str(at)} for name, at in span.events.items()],
        "status": {"code": "STATUS_CODE_OK"},
    }


def _pairs(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _any(value)} for name, value in values.items()]


def _any(value: Any) -> dict[str, Any]:
    """A value in OTLP's JSON."""
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": _storable(value)}
        case Mapping():
            return {"kvlistValue": {"values": _pairs(value)}}
        case Sequence():
            return {"arrayValue": {"values": [_any(one) for one in value]}}
        case _:
            raise TypeError(f"{type(value)} cannot stand in a span")


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL, and nobody takes half a surrogate pair: neither may stop all that come after it."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


def _opinion(trace_id: str, assessment: Assessment) -> dict[str, Any]:
    value = assessment.value
    return {
        "assessment_name": assessment.name,
        "trace_id": f"tr-{trace_id}",
        "feedback": {"value": value},
        "rationale": _storable(assessment.rationale),
    }


def _new(trace_id: str, assessment: Assessment) -> dict[str, Any]:
    at = _timestamp(assessment.at)
    return _opinion(trace_id, assessment) | {
        # Its id is made of its key, so that two who say it at once do not say it twice.
        "assessment_id": f"a-{hashlib.sha256(f'{trace_id}/{assessment.key}'.encode()).hexdigest()[:32]}",
        "source": {"source_type": assessment.source, "source_id": assessment.who[:250]},
        "create_time": at,
        "last_update_time": at,
        "metadata": {KEY: assessment.key, **assessment.facts},
        "valid": True,
    }


def _timestamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
