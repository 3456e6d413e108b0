"""log-model-metrics: the run with its figures, data and reports into MLflow."""

import json

from opskit.errors import Unavailable

from trainer.improvement.evaluating import means
from trainer.improvement.runs import Run
from trainer.steps.evaluations import GOLD, HOPELESS, SPECIFIC, WHO, said_to
from trainer.steps.tools import Done, Say, Tools
from trainer.steps.workspace import Workspace, read_json, write_json


def log_model_metrics(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """MLflow may be away: the record is made good when the release is logged."""
    try:
        names = recorded(tools, run, work)
    except Unavailable as exc:
        say(f"MLflow is away ({exc.message}); the figures are kept in {work.root.name} and are sent with the release")
        return Done(f"Kept here; MLflow is away: {exc.message}")
    return Done(f"Logged as {names['url']}")


def recorded(tools: Tools, run: Run, work: Workspace) -> dict[str, str]:
    """The run's names in MLflow, where it is recorded now unless it was before. Raises Unavailable."""
    if work.tracking.exists():
        return dict(read_json(work.tracking))
    names = tools.tracker.record(run, figures=_figures(work), settings=_settings(run, work), files=work.root)
    write_json(work.tracking, names)
    return names


def _figures(work: Workspace) -> dict[str, float]:
    return {
        f"{who}/{name}/{figure}": value
        for who in WHO
        for name in (GOLD, SPECIFIC, HOPELESS)
        for figure, value in means(said_to(work, name, who)).items()
    }


def _settings(run: Run, work: Workspace) -> dict[str, object]:
    account = read_json(work.data_account)
    return {
        "run": run.id,
        "kind": run.kind,
        "changes": json.dumps(run.order.settings or {}, ensure_ascii=False),
        "incident": run.order.incident or "",
        "alertname": run.order.alertname or "",
        "champion": read_json(work.champion)["release"],
        "examples": account["train"],
        "held_out": account["held_out"],
    }
