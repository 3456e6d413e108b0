"""Runs, releases and prompts in a real MLflow."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mlflow import MlflowClient
from opskit.contracts.releases import ReleaseBundle
from opskit.contracts.runs import RunOrder
from opskit.errors import NotFound, Unavailable
from trainer.adapters.mlflow_registry import MlflowRegistry
from trainer.adapters.mlflow_tracker import MODEL, PROMPT, MlflowTracker
from trainer.improvement.releases import Release, State
from trainer.improvement.runs import Run

pytestmark = pytest.mark.contract

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RUN = Run(RunOrder(run_id="run_0123456789", alertname="NexusAnswerQualityLow"), "alert-bridge", NOON)


def release(name: str, *, instructions: str = "Answer.") -> Release:
    bundle = ReleaseBundle(
        release=f"rel_{name}",
        reader_digest=name,
        engine="extractive",
        settings={"prompt": {"instructions": instructions}, "retrieval": {}},
    )
    return Release(bundle.release, State.CANDIDATE, bundle, RUN.id)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What a run leaves in its folder."""
    root = tmp_path / "run"
    for folder in ("data", "evaluation", "logs"):
        (root / folder).mkdir(parents=True)
    for name in ("train", "held-out"):
        example = {"id": "fb_1", "question": "How long?", "origin": "correction"}
        (root / "data" / f"{name}.jsonl").write_text(json.dumps(example) + "\n")
    (root / "evaluation" / "verdict.json").write_text("{}")
    (root / "logs" / "gate.log").write_text("passed\n")
    return root


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    folder = tmp_path / "reader"
    folder.mkdir()
    (folder / "reader.json").write_text("{}")
    return folder


def test_a_run_and_its_releases_are_kept_once_and_found_again(mlflow_url, files, reader):
    tracker, client = MlflowTracker(mlflow_url), MlflowClient(mlflow_url, mlflow_url)
    figures, settings = {"candidate/specific/exact": 0.7}, {"alertname": "NexusAnswerQualityLow", "examples": 70}

    names = tracker.record(RUN, figures=figures, settings=settings, files=files)
    assert tracker.record(RUN, figures=figures, settings=settings, files=files) == names
    kept = client.get_run(names["run"])
    assert kept.data.metrics == figures
    assert kept.data.params["examples"] == "70"
    assert {one.dataset.name for one in kept.inputs.dataset_inputs} == {"train of run", "held-out of run"}
    assert {one.path for one in client.list_artifacts(names["run"])} == {"data", "evaluation", "logs"}

    first = tracker.register(release("a"), {"base": "x"}, reader, run=names)
    assert tracker.register(release("a"), {"base": "x"}, reader, run=names) == first
    second = tracker.register(release("b"), {"base": "x"}, reader, run={})
    version = client.get_model_version(MODEL, first["version"])
    assert version.tags["nexus.release"] == "rel_a"
    assert first["version"] != second["version"]
    assert [one.path for one in client.list_artifacts(names["run"], "release")] == [
        "release/bundle.json",
        "release/reader",
        "release/release.json",
    ]

    tracker.alias("rel_a", "champion")
    tracker.alias("rel_b", "challenger")
    tracker.alias("rel_b", "champion")
    tracker.alias("rel_a", None)
    assert client.get_model_version_by_alias(MODEL, "champion").tags["nexus.release"] == "rel_b"
    assert client.get_model_version(MODEL, first["version"]).aliases == []

    other = tracker.register(release("c", instructions="Answer briefly."), {}, None, run={})
    version = client.get_model_version(MODEL, other["version"])
    assert (version.tags["nexus.reader"], version.tags["nexus.prompt"]) == ("c", "2")
    assert [one.path for one in client.list_artifacts(version.run_id, "release")] == [
        "release/bundle.json",
        "release/release.json",
    ], "the reader is not its own"
    prompts = {one.version: one.template for one in client.search_prompt_versions(PROMPT)}
    assert len(prompts) == 2, "the same prompt is the same version"
    tracker.alias("rel_unknown", "champion")  # not registered yet: told again later


def test_without_mlflow_it_is_said_to_be_unavailable(port, files):
    with pytest.raises(Unavailable, match="MLflow"):
        MlflowTracker(f"http://127.0.0.1:{port}").record(RUN, figures={}, settings={}, files=files)


def test_what_one_environment_registers_another_fetches(mlflow_url, reader, tmp_path):
    MlflowTracker(mlflow_url).register(release("published"), {"base": "x"}, reader, run={})
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    MlflowRegistry(mlflow_url).fetch("rel_published", fetched)
    assert ReleaseBundle.model_validate_json((fetched / "bundle.json").read_text()).reader_digest == "published"
    assert json.loads((fetched / "release.json").read_text()) == {"base": "x"}
    assert (fetched / "reader" / "reader.json").exists()
    with pytest.raises(NotFound, match="has no rel_unheard"):
        MlflowRegistry(mlflow_url).fetch("rel_unheard", tmp_path)
