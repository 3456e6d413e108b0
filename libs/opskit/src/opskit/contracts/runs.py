"""A run of the improvement pipeline: asked for by alert-bridge, carried out and reported back by trainer."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from opskit.contracts.reader import Message

START_RUN_TASK: Final = "trainer.start_run"
"""The Celery task that takes a `RunOrder` as keyword arguments. The same run may be ordered as often as it likes: only
the first order counts."""
TRAINER_QUEUE: Final = "trainer"
DEFAULT_TARGET: Final = "reader"
"""What a run improves. One run is under way for a target at most."""

Outcome = Literal["promoted", "rejected", "rolled_back", "failed", "no_data", "cancelled"]
"""How a run ends: a better release serves; the gate refused it; it did worse under real traffic; a step failed; there
was too little to learn from; somebody stopped it."""


Kind = Literal["training", "settings"]
"""What a run tries to be better with: other weights, or other prompt and retrieval settings."""


class RunOrder(Message):
    """A run to be carried out."""

    run_id: str = Field(pattern=r"^run_[a-z0-9]{8,40}$")
    target: str = Field(DEFAULT_TARGET, pattern=r"^[a-z0-9-]{1,63}$")
    incident: str | None = None
    alertname: str | None = None
    reason: str = Field("", max_length=1000)
    knowledge_base: str | None = None
    settings: dict[str, dict[str, Any]] | None = None
    """What to change of the champion's prompt and retrieval settings, instead of training."""


class RunReport(Message):
    """How a run ended. Sent to alert-bridge, `PUT /internal/runs/{run_id}`, until it is taken."""

    outcome: Outcome
    finished_at: datetime
    message: str = ""
