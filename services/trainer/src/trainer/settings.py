"""Every setting of trainer; nothing else reads the environment."""

from datetime import timedelta
from pathlib import Path

from opskit.settings import DatabaseUrl, Port, ServiceSettings, TritonSettings
from pydantic import AnyHttpUrl, Field, RedisDsn, SecretStr, field_validator

from trainer.observing.judging import openai_judge


class Settings(TritonSettings, ServiceSettings):
    """Variables are named NEXUS_<FIELD>."""

    trainer_database_url: DatabaseUrl = "sqlite:///.nexus/state/trainer.db"
    broker_url: RedisDsn = RedisDsn("redis://127.0.0.1:6379/1")
    mlflow_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:5000")
    prometheus_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:9090")
    rag_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8081")
    alert_bridge_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8084")
    runs_folder: Path = Field(Path(".nexus/runs"), description="What runs leave: data, weights, evaluations, logs.")
    releases_folder: Path = Field(Path(".nexus/releases"), description="The readers of releases that may serve.")
    git_commit: str = Field("unknown", description="Of the code that made a release; kept with it.")
    worker_metrics_port: Port = 9102
    worker_metrics_host: str = "127.0.0.1"

    keep_feedback: timedelta = Field(
        timedelta(days=365),
        gt=timedelta(0),
        description="Votes hold what people asked and wrote: they are not for ever.",
    )
    expire_feedback_every: timedelta = Field(timedelta(hours=1), gt=timedelta(0))
    feedback_window: timedelta = Field(
        timedelta(hours=1), gt=timedelta(0), description="Votes of this long count for the alert."
    )
    votes_counted_per_voter: int = Field(5, ge=1, description="Of one voter so many votes count within the window.")

    fewest_examples: int = Field(20, ge=4, description="With fewer a run ends: there is too little to learn from.")
    fewest_held_out: int = Field(8, ge=2, description="Of those, so many are kept apart to measure on.")
    most_of_a_voter: int = Field(50, ge=1, description="Examples of one voter that are learnt from.")
    tuning_passes: float = Field(5.0, gt=0, description="How often each example is read in a fine-tuning.")
    tuning_most_steps: int = Field(400, ge=1, description="Of some 6,000 tokens: about two seconds each on two cores.")
    base_model: str = Field(
        "",
        description="To tune a language model: the weights of NEXUS_MODEL's GGUF in transformers' format, as a folder "
        "or a hub id.",
    )
    tuning_launcher: str = Field(
        "", description="Starts the processes that tune a language model, such as `torchrun --nproc-per-node 4`."
    )
    canary_share: float = Field(0.1, gt=0, le=1, description="Of the conversations, while a release is tried.")
    canary_deadline: timedelta = Field(timedelta(hours=24), gt=timedelta(0))
    canary_answers: int = Field(100, ge=1, description="So many answers of both releases are enough to decide.")
    stage_patience: timedelta = Field(
        timedelta(minutes=1),
        gt=timedelta(0),
        description="A run of which nothing was heard so long is taken up again.",
    )

    workflow_patience: timedelta = Field(
        timedelta(hours=1),
        gt=timedelta(0),
        description="A run that a workflow carries out and of which nothing was heard so long has failed.",
    )

    observe_every: timedelta = Field(timedelta(seconds=5), gt=timedelta(0))
    trace_share: float = Field(1.0, ge=0, le=1, description="Of the answers, so many become traces in MLflow.")
    judge_share: float = Field(0.05, ge=0, le=1, description="Of the answers, so many are judged; they are traced too.")
    judge: str = Field("local", description="Who judges: `local`, or `openai:<base url>#<model>`.")
    judge_api_key: SecretStr = Field(SecretStr(""), description="Key of the judge's server.")

    reconcile_every: timedelta = Field(timedelta(seconds=5), gt=timedelta(0))

    @field_validator("judge")
    @classmethod
    def _well_formed(cls, judge: str) -> str:
        openai_judge(judge)
        return judge
