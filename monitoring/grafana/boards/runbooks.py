"""What to do about each alert, where whoever looks at a picture can read it: docs/runbooks as they are."""

import re

from monitoring.grafana.alerts import RUNBOOKS, names
from monitoring.grafana.house import dashboard, runbook, words
from monitoring.grafana.model import Dashboard, Panel, Row


def board() -> Dashboard:
    """One page of each alert."""
    return dashboard(
        "runbooks",
        "Nexus · Runbooks",
        "What each alert says, what users feel, where to look, what to do. The pages of docs/runbooks.",
        [Row("What to do, alert by alert", [_page(name) for name in names()])],
        refresh="",
    )


def _page(name: str) -> Panel:
    text = (RUNBOOKS / f"{name}.md").read_text().split("\n", 2)[2]  # its title is the panel's
    text = re.sub(r"\((Nexus\w+)\.md\)", lambda link: f"({runbook(link[1]).url})", text)
    text = re.sub(r"\[([^]]+)\]\(\.\./([\w./-]+)\)", r"\1: docs/\2", text)
    return words(name, text, width=12, height=16)
