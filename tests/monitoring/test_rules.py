"""The alert rules: right by Prometheus' own tool, complete, and about metrics that exist."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.promtool import ROOT, RULES, promtool, rules

RULE_TESTS = sorted((ROOT / "monitoring" / "rules-tests").glob("*.yml"))


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


def test_an_alert_does_not_fire_at_the_first_bad_moment() -> None:
    assert [alert["alert"] for alert in rules("alert") if alert.get("for", "0s") in ("0s", "0m")] == []


def test_only_what_a_better_release_may_mend_asks_for_one() -> None:
    asking = {alert["alert"] for alert in rules("alert") if alert["labels"].get("nexus_action") == "retrain"}
    assert asking == {"NexusAnswerQualityLow", "NexusGroundednessLow", "NexusAbstentionHigh"}


def test_every_rule_has_a_test() -> None:
    tested = "\n".join(file.read_text() for file in RULE_TESTS)
    assert {alert["alert"] for alert in rules("alert")} <= set(re.findall(r"alertname: (\w+)", tested))
