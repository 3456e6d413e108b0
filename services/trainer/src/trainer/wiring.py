"""What stages work with, made from the settings: for the worker and for the command line."""

import shlex
from datetime import timedelta
from functools import cached_property
from typing import Final

import httpx
from nexus_serving.embedder_model import FINGERPRINT, embedder_folder
from nexus_serving.layout import Layout
from opskit.database import open_database
from sqlalchemy import Engine

from trainer.adapters.bridge_client import BridgeClient
from trainer.adapters.judge_process import JudgeProcess
from trainer.adapters.local_readers import LocalReaders
from trainer.adapters.mlflow_registry import MlflowRegistry
from trainer.adapters.mlflow_traces import MlflowTraces
from trainer.adapters.mlflow_tracker import MlflowTracker
from trainer.adapters.prometheus import PrometheusTraffic
from trainer.adapters.rag_client import RagClient
from trainer.adapters.sql import SqlFeedback
from trainer.adapters.sql_observations import SqlObservations
from trainer.adapters.sql_releases import SqlReleases
from trainer.adapters.sql_runs import SqlRuns
from trainer.adapters.triton_models import TritonModels
from trainer.deploying import Deployer
from trainer.improvement.canary import Watch
from trainer.improvement.preparing import Rules
from trainer.observing.judging import openai_judge
from trainer.observing.local_judge import VERSION
from trainer.observing.observer import Observer
from trainer.observing.pseudonyms import Pseudonyms
from trainer.observing.sampling import Shares
from trainer.registering import Registrar
from trainer.settings import Settings
from trainer.steps.tools import Canary, Tools

_PEER_SECONDS: Final = 15.0


class Wiring:
    """Each part is made when it is first needed. Close it when done."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._clients: list[httpx.Client] = []

    @cached_property
    def engine(self) -> Engine:
        """The database, with its tables as they are now."""
        return open_database(self.settings.trainer_database_url, migrations="trainer.migrations")

    @cached_property
    def feedback(self) -> SqlFeedback:
        return SqlFeedback(self.engine)

    @cached_property
    def runs(self) -> SqlRuns:
        return SqlRuns(self.engine)

    @cached_property
    def releases(self) -> SqlReleases:
        return SqlReleases(self.engine)

    @cached_property
    def readers(self) -> LocalReaders:
        return LocalReaders(self.settings.releases_folder, Layout.from_environment())

    @cached_property
    def served(self) -> TritonModels:
        return TritonModels(self.settings.triton_grpc, Layout.from_environment())

    @cached_property
    def rag(self) -> RagClient:
        return RagClient(self._client(str(self.settings.rag_url)), token=self._token)

    @cached_property
    def bridge(self) -> BridgeClient:
        return BridgeClient(self._client(str(self.settings.alert_bridge_url)), token=self._token)

    @cached_property
    def tracker(self) -> MlflowTracker:
        return MlflowTracker(str(self.settings.mlflow_url))

    def registry(self, url: str) -> MlflowRegistry:
        """Another environment's releases."""
        return MlflowRegistry(url)

    @cached_property
    def observations(self) -> SqlObservations:
        return SqlObservations(self.engine)

    @cached_property
    def judge(self) -> JudgeProcess:
        asked = openai_judge(self.settings.judge)
        if asked is None:
            folder = embedder_folder(Layout.from_environment())
            return JudgeProcess(f"local-{VERSION}/{FINGERPRINT[:12]}", {"embedder": str(folder)})
        terms = {
            "base_url": asked.base_url,
            "model": asked.model,
            "key": self.settings.judge_api_key.get_secret_value(),
        }
        return JudgeProcess(f"openai/{asked.model}", terms)

    @cached_property
    def observer(self) -> Observer:
        """Watches what was answered and voted."""
        return Observer(
            answers=self.rag,
            store=self.observations,
            traces=MlflowTraces(self._client(str(self.settings.mlflow_url))),
            judge=self.judge,
            shares=Shares(self.settings.trace_share, self.settings.judge_share),
            names=Pseudonyms(self._token),
        )

    @cached_property
    def registrar(self) -> Registrar:
        return Registrar(self.releases, self.tracker, self.readers)

    @cached_property
    def deployer(self) -> Deployer:
        return Deployer(self.releases, self.readers, self.served)

    @cached_property
    def tools(self) -> Tools:
        """All that stages need."""
        settings = self.settings
        rules = Rules(
            most_of_a_voter=settings.most_of_a_voter,
            fewest=settings.fewest_examples,
            fewest_held_out=settings.fewest_held_out,
        )
        watch = Watch(answers=settings.canary_answers)
        return Tools(
            runs=self.runs,
            releases=self.releases,
            feedback=self.feedback,
            answers=self.rag,
            readers=self.readers,
            served=self.served,
            traffic=PrometheusTraffic(self._client(str(settings.prometheus_url))),
            tracker=self.tracker,
            git_commit=settings.git_commit,
            rules=rules,
            passes=settings.tuning_passes,
            most_steps=settings.tuning_most_steps,
            base_model=settings.base_model,
            launcher=tuple(shlex.split(settings.tuning_launcher)),
            canary=Canary(settings.canary_share, settings.canary_deadline, timedelta(seconds=2), watch),
        )

    def close(self) -> None:
        """Let go of connections and processes."""
        if "judge" in self.__dict__:
            self.judge.close()
        for client in self._clients:
            client.close()
        if "engine" in self.__dict__:
            self.engine.dispose()

    @property
    def _token(self) -> str:
        return self.settings.internal_token.get_secret_value()

    def _client(self, url: str) -> httpx.Client:
        client = httpx.Client(base_url=url, timeout=httpx.Timeout(_PEER_SECONDS, connect=2.0))
        self._clients.append(client)
        return client
