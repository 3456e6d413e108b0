"""The stages of a run, in order. Their names are those of the command line and of workflow steps."""

from enum import StrEnum


class Stage(StrEnum):
    """One step of the pipeline."""

    PREPARE = "prepare-data"
    RETRAIN = "retrain-model"
    GOLD = "benchmark-model-gold"
    SPECIFIC = "benchmark-model-specific"
    HALLUCINATION = "hallucination-evaluation"
    FACTCHECK = "factcheck-evaluation"
    SUBJECTS = "subject-matter-evaluation"
    LOG_METRICS = "log-model-metrics"
    GATE = "gate"
    LOG_MODEL = "log-model"
    DEPLOY = "model-deployment"


def after(stage: Stage) -> Stage | None:
    """The stage that follows; None after the last."""
    order = list(Stage)
    place = order.index(stage) + 1
    return order[place] if place < len(order) else None
