"""Write monitoring/dashboards anew: what Grafana is given."""

import json

from monitoring.grafana.alerts import ROOT
from monitoring.grafana.boards import (
    answers,
    gateway,
    infrastructure,
    ingestion,
    model_loop,
    overview,
    runbooks,
    triton,
)
from monitoring.grafana.model import Dashboard

FOLDER = ROOT / "monitoring" / "dashboards"
BOARDS = (overview, answers, ingestion, model_loop, gateway, triton, infrastructure, runbooks)


def files() -> dict[str, str]:
    """What each file should hold, by its name."""
    return {f"{board.uid.removeprefix('nexus-')}.json": _text(board) for board in (module.board() for module in BOARDS)}


def main() -> None:
    """Write all, and remove what is none of ours any more."""
    FOLDER.mkdir(exist_ok=True)
    made = files()
    for old in FOLDER.glob("*.json"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text)


def _text(board: Dashboard) -> str:
    return json.dumps(board.json(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
