"""The alert rules: right by Prometheus' own tool, complete, and about metrics that exist."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "monitoring" / "rules").glob("*.yml"))
RULE_TESTS = sorted((ROOT / "monitoring" / "rules-tests").glob("*.yml"))


def rules(kind: str) -> list[dict[str, Any]]:
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def promtool(*arguments: str | Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed; make setup installs it")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_prometheus_reads_the_rules(file: Path) -> None:
    promtool("check", "rules", file)


@pytest.mark.parametrize("file", RULE_TESTS, ids=lambda file: file.stem)
def test_the_rules_fire_when_they_should_and_never_else(file: Path) -> None:
    promtool("test", "rules", file)


@pytest.mark.parametrize("alert", rules("alert"), ids=lambda alert: f"{alert['alert']}-{alert['labels']['severity']}")
def test_an_alert_says_how_bad_what_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert alert["annotations"]["summary"]
    runbook = alert["annotations"]["runbook_url"]
    page = ROOT / "docs" / "runbooks" / f"{alert['alert']}.md"
    assert runbook.endswith(f"docs/runbooks/{alert['alert']}.md")
    assert page.exists()
    assert len(page.read_text().split()) > 50


def test_every_rule_has_a_test() -> None:
    tested = "\n".join(file.read_text() for file in RULE_TESTS)
    assert {alert["alert"] for alert in rules("alert")} <= set(re.findall(r"alertname: (\w+)", tested))
