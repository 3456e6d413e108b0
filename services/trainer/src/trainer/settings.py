"""Every setting of trainer; nothing else reads the environment."""

from datetime import timedelta

from opskit.settings import Port, ServiceSettings
from pydantic import AnyHttpUrl, Field, RedisDsn


class Settings(ServiceSettings):
    """Variables are named NEXUS_<FIELD>."""

    trainer_database_url: str = "sqlite:///.nexus/state/trainer.db"
    broker_url: RedisDsn = RedisDsn("redis://127.0.0.1:6379/1")
    mlflow_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:5000")
    worker_metrics_port: Port = 9102
    worker_metrics_host: str = "127.0.0.1"
    keep_feedback: timedelta = Field(
        timedelta(days=365),
        gt=timedelta(0),
        description="Votes hold what people asked and wrote: they are not for ever.",
    )
    expire_feedback_every: timedelta = Field(timedelta(hours=1), gt=timedelta(0))
