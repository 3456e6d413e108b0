"""Traces and opinions in a real MLflow, read back by MLflow's own client."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from mlflow import MlflowClient
from opskit.errors import Unavailable
from trainer.adapters.mlflow_traces import EXPERIMENT, MlflowTraces
from trainer.observing.assessments import Assessment
from trainer.observing.ports import Refused, TraceMissing
from trainer.observing.pseudonyms import Pseudonyms
from trainer.observing.traces import trace_of

pytestmark = pytest.mark.contract

NAMES = Pseudonyms("a secret of some length")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TIMINGS = {"understand": 1.0, "retrieve": 20.0, "first_token": 60.0, "read": 70.0, "total": 92.0}


@pytest.fixture
def traces(mlflow_url: str) -> Iterator[MlflowTraces]:
    with httpx.Client(base_url=mlflow_url, timeout=30) as client:
        yield MlflowTraces(client)


@pytest.fixture
def mlflow(mlflow_url: str, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return MlflowClient(mlflow_url)


@pytest.fixture
def trace(make_answer):
    answer = make_answer(
        answer_id=f"ans_{uuid.uuid4().hex}",
        timings=TIMINGS,
        usage={"prompt_tokens": 300, "completion_tokens": 12},
        scores={"context_relevance": 0.7, "groundedness": 1.0, "answer_relevance": 0.5},
    )
    return trace_of(answer, NAMES)


def opinion(**changes) -> Assessment:
    same = {
        "key": "fb_1",
        "name": "user_rating",
        "value": "down",
        "rationale": "Wrong.",
        "source": "HUMAN",
        "who": "ab12",
    }
    return Assessment(**same | {"at": NOON} | changes)


def opinions(mlflow: MlflowClient, trace) -> list:
    return mlflow.get_trace(f"tr-{trace.id}").info.assessments


class TestTraces:
    def test_an_answer_is_shown_with_its_steps_and_their_times(self, traces, mlflow, trace):
        traces.keep([trace])
        spans = {span.name: span for span in mlflow.get_trace(f"tr-{trace.id}").data.spans}
        assert list(spans) == ["answer", "understand", "retrieve", "read"]
        for span in trace.spans:
            assert (spans[span.name].start_time_ns, spans[span.name].end_time_ns) == (span.start, span.end)
            assert spans[span.name].span_type == span.kind
            assert spans[span.name].parent_id == span.parent
        (document,) = spans["retrieve"].outputs
        assert document["page_content"] == "The interval is 120 seconds."
        assert document["metadata"]["document"] == "guide.md"
        assert [event.name for event in spans["read"].events] == ["first_token"]

    def test_question_answer_tags_and_figures_are_found_in_its_head(self, traces, mlflow, trace):
        traces.keep([trace])
        info = mlflow.get_trace(f"tr-{trace.id}").info
        assert info.state == "OK"
        assert info.request_time == trace.spans[0].start // 1_000_000
        assert info.execution_duration == 92
        assert "How long is the interval?" in info.request_preview
        assert "Two minutes." in info.response_preview
        assert trace.tags.items() <= info.tags.items()
        assert info.tags["mlflow.traceName"] == "answer"
        assert info.token_usage["total_tokens"] == 312
        assert info.trace_metadata["mlflow.trace.session"] == trace.session
        assert info.trace_metadata["mlflow.trace.user"] == trace.tags["nexus.tenant"]

    def test_it_is_found_by_its_release_in_the_experiment(self, traces, mlflow, trace):
        traces.keep([trace])
        experiment = mlflow.get_experiment_by_name(EXPERIMENT).experiment_id
        found = mlflow.search_traces(locations=[experiment], filter_string=f"tags.`nexus.answer` = '{trace.answer_id}'")
        assert [one.info.trace_id for one in found] == [f"tr-{trace.id}"]

    def test_told_twice_it_is_there_once(self, traces, mlflow, trace):
        traces.keep([trace])
        before = mlflow.get_trace(f"tr-{trace.id}")
        traces.keep([trace])
        again = mlflow.get_trace(f"tr-{trace.id}")
        assert again.info.to_dict() == before.info.to_dict()
        assert [span.to_dict() for span in again.data.spans] == [span.to_dict() for span in before.data.spans]

    def test_many_go_in_one_request(self, traces, mlflow, make_answer):
        many = [trace_of(make_answer(answer_id=f"ans_{uuid.uuid4().hex}", timings=TIMINGS), NAMES) for _ in range(50)]
        traces.keep(many)
        assert mlflow.get_trace(f"tr-{many[-1].id}").info.execution_duration == 92

    def test_text_that_no_database_takes_is_mended(self, traces, mlflow, make_answer):
        answer = make_answer(answer_id=f"ans_{uuid.uuid4().hex}", question="a\0b é 🎉")
        traces.keep([trace_of(answer, NAMES)])
        found = mlflow.get_trace(f"tr-{trace_of(answer, NAMES).id}")
        assert found.data.spans[0].inputs == {"question": "a�b é 🎉"}

    def test_what_mlflow_does_not_take_is_refused(self, traces, trace):
        broken = replace(trace, spans=(replace(trace.spans[0], id="not hexadecimal"),))
        with pytest.raises(Refused):
            traces.keep([broken])

    def test_with_mlflow_away_it_is_unavailable(self, trace, port):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client, pytest.raises(Unavailable):
            MlflowTraces(client).keep([trace])

    def test_old_ones_are_forgotten_and_others_are_not(self, traces, mlflow, trace, make_answer):
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        old = trace_of(make_answer(answer_id=f"ans_{uuid.uuid4().hex}", created_at=long_ago), NAMES)
        traces.keep([old, trace])
        assert traces.forget(before=long_ago) == 0
        assert traces.forget(before=long_ago + timedelta(days=1)) == 1
        assert mlflow.get_trace(f"tr-{trace.id}")
        with pytest.raises(TraceMissing):
            traces.assess(old.id, [opinion()])


class TestOpinions:
    def test_a_vote_stands_at_its_trace(self, traces, mlflow, trace):
        traces.keep([trace])
        traces.assess(trace.id, [opinion()])
        (found,) = opinions(mlflow, trace)
        assert (found.name, found.value, found.rationale) == ("user_rating", "down", "Wrong.")
        assert (found.source.source_type, found.source.source_id) == ("HUMAN", "ab12")
        assert found.create_time_ms == int(NOON.timestamp() * 1000)
        assert found.metadata["nexus.assessment"] == "fb_1"

    def test_a_changed_vote_replaces_the_first_with_its_reason(self, traces, mlflow, trace):
        traces.keep([trace])
        traces.assess(trace.id, [opinion()])
        traces.assess(trace.id, [opinion(value="up", rationale="", at=NOON + timedelta(hours=1))])
        (found,) = opinions(mlflow, trace)
        assert (found.value, found.rationale or "") == ("up", "")

    def test_voters_and_judges_stand_side_by_side(self, traces, mlflow, trace):
        traces.keep([trace])
        judged = opinion(key="j", name="groundedness", value=0.75, source="CODE", who="local-1")
        traces.assess(trace.id, [opinion(), opinion(key="fb_2", who="cd34", value="up"), judged])
        traces.assess(trace.id, [judged])
        found = {(one.name, one.source.source_id): one.value for one in opinions(mlflow, trace)}
        assert found == {
            ("user_rating", "ab12"): "down",
            ("user_rating", "cd34"): "up",
            ("groundedness", "local-1"): 0.75,
        }
        assert len(opinions(mlflow, trace)) == 3

    def test_opinions_outlive_the_trace_being_told_again(self, traces, mlflow, trace):
        traces.keep([trace])
        traces.assess(trace.id, [opinion()])
        traces.keep([trace])
        assert len(opinions(mlflow, trace)) == 1

    def test_a_trace_that_is_not_there_is_missed(self, traces, trace):
        with pytest.raises(TraceMissing):
            traces.assess(trace.id, [opinion()])


def test_an_experiment_that_was_deleted_is_named(traces, mlflow, trace):
    traces.keep([trace])
    experiment = mlflow.get_experiment_by_name(EXPERIMENT).experiment_id
    mlflow.delete_experiment(experiment)
    with httpx.Client(base_url=mlflow.tracking_uri) as client, pytest.raises(Unavailable, match="was deleted"):
        MlflowTraces(client).keep([trace])
    mlflow.restore_experiment(experiment)
    traces.keep([trace])
