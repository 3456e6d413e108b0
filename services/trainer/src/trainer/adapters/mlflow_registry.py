"""Releases as `MlflowTracker` publishes them, read back by another environment."""

from pathlib import Path

from opskit.errors import NotFound

from trainer.adapters.mlflow_tracker import MODEL, RELEASE_FOLDER, speaking_to_mlflow


class MlflowRegistry:
    """Satisfies `Registry`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def fetch(self, release: str, into: Path) -> None:
        """A release's parts. Raises NotFound and Unavailable."""
        import mlflow  # here: see mlflow_tracker

        with speaking_to_mlflow():
            mlflow.set_tracking_uri(self._url)
            client = mlflow.MlflowClient(self._url, self._url)
            found = client.search_model_versions(f"name = '{MODEL}' and tags.`nexus.release` = '{release}'")
            if not found or found[0].run_id is None:
                raise NotFound(f"MLflow at {self._url} has no {release}.")
            kept = Path(client.download_artifacts(found[0].run_id, RELEASE_FOLDER, str(into)))
        for part in kept.iterdir():
            part.rename(into / part.name)
