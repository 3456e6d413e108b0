"""Runs, releases, health and documentation."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from opskit.contracts.releases import ReleaseBundle, ServingTable
from opskit.contracts.runs import RunOrder
from sqlalchemy import text
from trainer.adapters.sql_releases import SqlReleases
from trainer.adapters.sql_runs import SqlRuns
from trainer.improvement.proposing import merged, proposed
from trainer.improvement.releases import Release, State
from trainer.improvement.runs import Run, Status
from trainer.improvement.stages import Stage

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def bundle(name: str, reader_model: str = "reader") -> ReleaseBundle:
    return ReleaseBundle(
        release=f"rel_{name}", reader_model=reader_model, reader_digest=f"digest of {name}", engine="extractive",
        settings={"prompt": {}, "retrieval": {}},
    )  # fmt: skip


@pytest.fixture
async def voted(client, make_answer):
    body = {"answer": make_answer().model_dump(mode="json"), "rating": "up"}
    assert (await client.post("/v1/feedback", json=body)).status_code == 201


@pytest.fixture
def releases(engine) -> SqlReleases:
    """The start release, and a candidate that differs in its prompt alone: Triton has no part in it."""
    kept = SqlReleases(engine)
    kept.start_with(bundle("start"), now=NOON)
    kept.add(Release("rel_new", State.CANDIDATE, bundle("new"), "run_1"), {"base": "x"}, now=NOON)
    return kept


@pytest.fixture
def runs(engine) -> SqlRuns:
    return SqlRuns(engine)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/feedback"),
        ("GET", "/v1/runs"),
        ("POST", "/v1/runs"),
        ("GET", "/v1/runs/run_1"),
        ("GET", "/v1/runs/run_1/log"),
        ("GET", "/v1/releases"),
        ("POST", "/v1/releases"),
        ("GET", "/v1/releases/rel_1"),
        ("POST", "/v1/releases/rel_1/promote"),
        ("POST", "/v1/releases/rollback"),
        ("GET", "/internal/serving"),
    ],
)
async def test_every_door_wants_the_internal_token(anonymous, method, path):
    assert (await anonymous.request(method, path)).status_code == 401


class TestRuns:
    async def test_a_run_is_started_once_at_a_time_even_while_queue_and_bridge_are_away(self, client):
        started = await client.post("/v1/runs", json={"reason": "a whim"})
        assert started.status_code == 202
        run = started.json()
        assert (run["status"], run["reason"], run["started_by"]) == ("queued", "a whim", "key_1")
        assert run["stage"] == "prepare-data"
        second = await client.post("/v1/runs", json={})
        assert second.status_code == 409
        assert run["id"] in second.json()["error"]["message"]
        assert [one["id"] for one in (await client.get("/v1/runs")).json()["runs"]] == [run["id"]]

    async def test_a_run_shows_its_stages_its_verdict_and_its_log(self, client, runs, settings):
        runs.add(Run(RunOrder(run_id="run_12345678", reason="alert", incident="inc_1"), "alert-bridge", NOON))
        runs.begin("run_12345678", Stage.PREPARE, now=NOON)
        runs.finish("run_12345678", Stage.PREPARE, Status.DONE, "7 examples", now=NOON)
        runs.begin("run_12345678", Stage.RETRAIN, now=NOON)
        runs.keep_verdict("run_12345678", {"decision": "reject", "checks": []})
        folder = settings.runs_folder / "run_12345678" / "logs"
        folder.mkdir(parents=True)
        (folder / "prepare-data.log").write_text("7 votes\n")
        shown = (await client.get("/v1/runs/run_12345678")).json()
        assert (shown["status"], shown["stage"], shown["incident"]) == ("running", "retrain-model", "inc_1")
        assert [(one["stage"], one["status"]) for one in shown["stages"]] == [
            ("prepare-data", "done"),
            ("retrain-model", "running"),
        ]
        assert shown["verdict"]["decision"] == "reject"
        log = await client.get("/v1/runs/run_12345678/log")
        assert log.text == "7 votes\n"
        assert (await client.get("/v1/runs/run_12345678/log?stage=gate")).text == ""
        assert (await client.get("/v1/runs/run_12345678/log?stage=lunch")).status_code == 400

    async def test_there_is_no_such_run(self, client):
        assert (await client.get("/v1/runs/run_1")).status_code == 404
        assert (await client.get("/v1/runs/run_1/log")).status_code == 404

    async def test_prometheus_sees_every_outcome_from_zero_and_counts_what_ended(self, client, runs):
        runs.add(Run(RunOrder(run_id="run_12345678"), "alert-bridge", NOON))
        assert 'nexus_runs_total{outcome="failed"} 0.0' in (await client.get("/metrics")).text
        runs.end("run_12345678", "failed", "why not", now=NOON)
        shown = (await client.get("/metrics")).text
        assert 'nexus_runs_total{outcome="failed"} 1.0' in shown
        assert 'nexus_gate_decisions_total{decision="promote"} 0.0' in shown
        assert 'nexus_run_stage_seconds_count{stage="retrain-model"} 0.0' in shown


class TestReleases:
    async def test_a_release_is_known_once_somebody_voted_on_it(self, client, voted):
        (release,) = (await client.get("/v1/releases")).json()["releases"]
        assert (release["id"], release["votes"], release["state"]) == ("rel_1", {"up": 1, "down": 0}, "seen")
        assert (await client.get("/v1/releases/rel_2")).status_code == 404

    async def test_promoted_it_serves_and_rolled_back_it_does_not(self, client, releases):
        promoted = await client.post("/v1/releases/rel_new/promote", json={"reason": "looks good"})
        assert promoted.status_code == 200
        assert (promoted.json()["alias"], promoted.json()["state"]) == ("champion", "champion")
        (change,) = promoted.json()["history"]
        assert (change["who"], change["why"], change["after"]) == ("key_1", "looks good", "champion")
        table = ServingTable.model_validate((await client.get("/internal/serving")).json())
        assert table.champion == bundle("new")

        back = await client.post("/v1/releases/rollback", json={"reason": "it was not"})
        assert back.status_code == 200
        assert (back.json()["id"], back.json()["alias"]) == ("rel_start", "champion")
        assert ServingTable.model_validate((await client.get("/internal/serving")).json()) == ServingTable()
        history = (await client.get("/v1/releases/rel_new")).json()["history"]
        assert [one["after"] for one in history] == ["champion", "retired"]

    async def test_a_release_whose_reader_cannot_be_loaded_is_not_promoted(self, client, releases, settings):
        gone = Release("rel_gone", State.CANDIDATE, bundle("gone", "reader_gone"), "run_1")
        releases.add(gone, {}, now=NOON)
        response = await client.post("/v1/releases/rel_gone/promote")
        assert response.status_code == 409
        assert "files are gone" in response.json()["error"]["message"]
        assert (await client.get("/internal/serving")).json()["champion"] is None

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("/v1/releases/rel_1/promote", None, 409),
            ("/v1/releases/rel_2/promote", None, 404),
            ("/v1/releases/rollback", None, 409),
            ("/v1/releases/rollback", {}, 409),
            ("/v1/releases/rollback", {"release": "rel_1"}, 409),
            ("/v1/releases/rollback", {"release": "rel_2"}, 404),
            ("/v1/releases/rollback", {"release": 7}, 400),
        ],
    )
    async def test_what_cannot_be_is_refused_with_a_reason(self, client, voted, path, body, status):
        response = await client.post(path, json=body)
        assert response.status_code == status
        assert response.json()["error"]["message"]

    async def test_prometheus_is_told_who_serves_and_how_it_is_liked(self, client, releases, make_answer):
        answer = make_answer(release="rel_start").model_dump(mode="json")
        await client.post("/v1/feedback", json={"answer": answer, "rating": "down"})
        shown = (await client.get("/metrics")).text
        assert 'nexus_release_info{alias="champion",release="rel_start"} 1.0' in shown
        assert 'nexus_feedback_recent{rating="down",release="rel_start"} 1.0' in shown
        await client.post("/v1/releases/rel_new/promote")
        shown = (await client.get("/metrics")).text
        assert 'nexus_release_info{alias="champion",release="rel_start"} 0.0' in shown
        assert 'nexus_release_info{alias="champion",release="rel_new"} 1.0' in shown
        assert 'nexus_feedback_recent{rating="down",release="rel_start"} 0.0' in shown, "it does not answer any more"

    async def test_of_one_voter_only_so_many_votes_call_for_a_run(self, client, releases, make_answer):
        for number in range(9):
            answer = make_answer(release="rel_start", answer_id=f"ans_{number}").model_dump(mode="json")
            await client.post("/v1/feedback", json={"answer": answer, "rating": "down"})
        shown = (await client.get("/metrics")).text
        assert 'nexus_feedback_recent{rating="down",release="rel_start"} 5.0' in shown
        assert 'nexus_feedback_total{rating="down",release="rel_start"}' in shown


class TestProposals:
    @pytest.fixture
    async def asked(self, app, fake_rag):
        app.state.parts = replace(app.state.parts, answers=fake_rag)

    async def test_a_proposal_is_a_run_that_trains_nothing(self, client, asked, runs):
        body = {"settings": {"retrieval": {"passages": 12}}, "reason": "more to read"}
        response = await client.post("/v1/releases", json=body)
        assert response.status_code == 202
        run = response.json()
        assert (run["kind"], run["reason"], run["started_by"]) == ("settings", "more to read", "key_1")
        assert run["settings"] == {"retrieval": {"passages": 12}}
        assert [one["id"] for one in (await client.get("/v1/runs")).json()["runs"]] == [run["id"]]
        assert runs.get(run["id"]).order.settings == {"retrieval": {"passages": 12}}

    async def test_while_a_run_is_under_way_neither_kind_is_begun(self, client, asked):
        body = {"settings": {"retrieval": {"passages": 12}}}
        first = (await client.post("/v1/releases", json=body)).json()
        for path, again in (("/v1/releases", body), ("/v1/runs", {})):
            response = await client.post(path, json=again)
            assert response.status_code == 409
            assert first["id"] in response.json()["error"]["message"]

    @pytest.mark.parametrize(
        ("proposed_settings", "param"),
        [
            ({}, "settings"),
            ({"prompt": {}}, "settings"),
            ({"retrieval": {"passages": 8}}, "settings"),
            ({"retrieval": {"pasages": 8}}, "settings.retrieval.pasages"),
            ({"retrieval": {"passages": "8"}}, "settings.retrieval.passages"),
            ({"retrieval": 8}, "settings.retrieval"),
            ({"reader": {"digest": "x"}}, "settings.reader.[key]"),
            ({"prompt": {"instructions": "a\0b"}}, "settings"),
        ],
    )
    async def test_what_cannot_be_tried_is_a_400(self, client, asked, runs, proposed_settings, param):
        response = await client.post("/v1/releases", json={"settings": proposed_settings})
        assert response.status_code == 400
        assert response.json()["error"]["param"] == param
        assert runs.unfinished() == []

    async def test_bytes_that_are_no_text_are_a_400(self, client, asked):
        body = b'{"settings": {"prompt": {"instructions": "\\ud800"}}}'
        response = await client.post("/v1/releases", content=body, headers={"content-type": "application/json"})
        assert response.status_code == 400

    async def test_what_had_its_turn_is_a_409(self, client, asked, fake_rag, engine):
        start = fake_rag.start_release()
        tried = proposed(start, merged(start.settings, {"retrieval": {"passages": 12}}))
        kept = SqlReleases(engine)
        kept.start_with(start, now=NOON)
        kept.add(Release(tried.release, State.CANDIDATE, tried, "run_1"), {}, now=NOON)
        await client.post(f"/v1/releases/{tried.release}/promote")
        back = await client.post("/v1/releases", json={"settings": {"retrieval": {"passages": 8}}})
        assert back.status_code == 409
        assert "promote it instead" in back.json()["error"]["message"]

    async def test_while_rag_is_away_it_is_a_503(self, client, runs):
        response = await client.post("/v1/releases", json={"settings": {"retrieval": {"passages": 12}}})
        assert response.status_code == 503
        assert runs.unfinished() == []


async def test_without_mlflow_and_broker_votes_are_still_taken(anonymous):
    response = await anonymous.get("/readyz")
    readiness = response.json()
    assert (response.status_code, readiness["status"]) == (200, "degraded")
    assert readiness["checks"]["database"] == "ok"
    assert {name for name, verdict in readiness["checks"].items() if verdict != "ok"} == {"mlflow", "broker"}


async def test_without_its_tables_a_vote_is_refused_with_503_and_no_figure_is_made_up(client, engine, make_answer):
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE feedback"))
        connection.execute(text("DROP TABLE runs"))
    response = await client.post("/v1/feedback", json={"answer": make_answer().model_dump(mode="json"), "rating": "up"})
    assert response.status_code == 503
    assert response.headers["retry-after"]
    shown = await client.get("/metrics")
    assert shown.status_code == 200
    assert "nexus_runs_total" not in shown.text


async def test_the_documentation_names_every_operation(anonymous):
    page = (await anonymous.get("/openapi.json")).json()
    operations = [operation for path in page["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == 14
    assert all(operation["summary"] and operation["tags"] for operation in operations)
