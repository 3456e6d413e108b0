"""MLflow: experiments, the registered model whose versions are releases, and prompts.

mlflow is imported where it is used: it takes two seconds and 150 MB, which a process that never speaks to it can save.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opskit.errors import Unavailable

from trainer.improvement.releases import Release
from trainer.improvement.runs import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT: Final = "nexus-improvement"
MODEL: Final = "nexus-release"
PROMPT: Final = "nexus-answering"
_FILES: Final = ("data", "evaluation", "logs")
RELEASE_FOLDER: Final = "release"


class MlflowTracker:
    """Satisfies `Tracker`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def record(
        self, run: Run, *, figures: Mapping[str, float], settings: Mapping[str, Any], files: Path
    ) -> dict[str, str]:
        """Keep a run's figures, its data sets as inputs, and its files. Recorded already, the same names again."""
        from mlflow.entities import Metric, Param, RunTag

        with speaking_to_mlflow():
            known = self._run_of(run.id)
            if known is not None:
                return self._names(known)
            experiment = self._experiment()
            made = self._client.create_run(experiment, run_name=run.id, tags={"nexus.run": run.id}).info.run_id
            at = int(run.created_at.timestamp() * 1000)
            metrics = [Metric(_name(name), value, at, 0) for name, value in figures.items()]
            params = [Param(name, str(value)[:500]) for name, value in settings.items()]
            self._client.log_batch(
                made, metrics, params, [RunTag("nexus.alertname", str(settings.get("alertname", "")))]
            )
            self._log_data_sets(made, files / "data")
            for name in _FILES:
                if (files / name).exists():
                    self._client.log_artifacts(made, str(files / name), name)
            self._client.set_terminated(made)
            return self._names(made)

    def register(
        self, release: Release, parts: Mapping[str, Any], reader: Path | None, *, run: Mapping[str, str]
    ) -> dict[str, str]:
        """Keep a release as a version of the registered model, with its reader, if that is its own, and the version of
        its prompt."""
        with speaking_to_mlflow():
            known = self._version_of(release.id)
            if known is None:
                known = self._register(release, parts, reader, run)
            return {"model": MODEL, "version": known, "url": f"{self._url}/#/models/{MODEL}/versions/{known}"}

    def alias(self, release_id: str, alias: str | None) -> None:
        """Move `champion` or `challenger` to a release's version; None takes both away from it."""
        with speaking_to_mlflow():
            version = self._version_of(release_id)
            if version is None:
                return
            held = self._client.get_model_version(MODEL, version).aliases
            if alias is not None and alias not in held:
                self._client.set_registered_model_alias(MODEL, alias, version)
            for name in held:
                if name in ("champion", "challenger") and name != alias:
                    self._client.delete_registered_model_alias(MODEL, name)

    @cached_property
    def _client(self) -> "MlflowClient":
        import mlflow

        # Left alone it tries for two minutes; whoever calls tries again anyway, later.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        mlflow.set_tracking_uri(self._url)
        return mlflow.MlflowClient(self._url, self._url)

    def _experiment(self) -> str:
        known = self._client.get_experiment_by_name(EXPERIMENT)
        return str(known.experiment_id if known else self._client.create_experiment(EXPERIMENT))

    def _run_of(self, run_id: str) -> str | None:
        found = self._client.search_runs(
            [self._experiment()], f"tags.`nexus.run` = '{run_id}' and attributes.status = 'FINISHED'", max_results=1
        )
        return str(found[0].info.run_id) if found else None

    def _names(self, run: str) -> dict[str, str]:
        return {"run": run, "url": f"{self._url}/#/experiments/{self._experiment()}/runs/{run}"}

    def _log_data_sets(self, run: str, folder: Path) -> None:
        import pandas  # type: ignore[import-untyped]
        from mlflow.data.pandas_dataset import from_pandas
        from mlflow.entities import DatasetInput, InputTag

        inputs = []
        for name, use in (("train", "training"), ("held-out", "evaluation")):
            lines = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
            frame = pandas.DataFrame(
                [{"id": line["id"], "question": line["question"], "origin": line["origin"]} for line in lines]
            )
            if len(frame):
                made = from_pandas(frame, name=f"{name} of {folder.parent.name}")
                inputs.append(DatasetInput(made._to_mlflow_entity(), [InputTag("mlflow.data.context", use)]))
        if inputs:
            self._client.log_inputs(run, inputs)

    def _version_of(self, release_id: str) -> str | None:
        found = self._client.search_model_versions(f"name = '{MODEL}' and tags.`nexus.release` = '{release_id}'")
        return str(found[0].version) if found else None

    def _register(self, release: Release, parts: Mapping[str, Any], reader: Path | None, run: Mapping[str, str]) -> str:
        run_id = run.get("run") or self._client.create_run(self._experiment(), run_name=release.id).info.run_id
        if reader is not None:
            self._client.log_artifacts(run_id, str(reader), f"{RELEASE_FOLDER}/reader")
        assert release.bundle is not None
        with tempfile.TemporaryDirectory() as folder:
            for name, body in (("release.json", parts), ("bundle.json", release.bundle.model_dump(mode="json"))):
                (Path(folder) / name).write_text(json.dumps(body, indent=1))
            self._client.log_artifacts(run_id, folder, RELEASE_FOLDER)
        prompt = self._prompt(release.bundle.settings["prompt"], release.id)
        if not self._client.search_registered_models(f"name = '{MODEL}'"):
            self._client.create_registered_model(
                MODEL, description="What answers: reader, prompt and retrieval settings."
            )
        source = f"{self._client.get_run(run_id).info.artifact_uri}/{RELEASE_FOLDER}"
        tags = {
            "nexus.release": release.id,
            "nexus.reader": release.bundle.reader_digest,
            "nexus.prompt": prompt,
            "nexus.run": release.run or "",
        }
        return str(self._client.create_model_version(MODEL, source, run_id, tags).version)

    def _prompt(self, settings: Mapping[str, Any], release_id: str) -> str:
        """The version of the prompt; the same text is the same version."""
        text = json.dumps(settings, indent=1, sort_keys=True)
        for version in self._prompt_versions():
            if version.template == text:
                return str(version.version)
        made = self._client.register_prompt(PROMPT, text, commit_message=f"First used by {release_id}")
        return str(made.version)

    def _prompt_versions(self) -> list[Any]:
        from mlflow.exceptions import MlflowException

        try:
            return list(self._client.search_prompt_versions(PROMPT))
        except MlflowException as exc:
            if exc.error_code == "RESOURCE_DOES_NOT_EXIST":
                return []
            raise


def _name(figure: str) -> str:
    """MLflow takes letters, digits and a few marks."""
    return figure.replace(",", "").replace("'", "")


@contextmanager
def speaking_to_mlflow() -> Iterator[None]:
    """MLflow's failures as ours."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as exc:
        raise Unavailable(f"MLflow: {exc.message}"[:300]) from exc
    except OSError as exc:  # requests' and urllib3's errors are
        raise Unavailable(f"MLflow does not answer: {exc!r}"[:300]) from exc
