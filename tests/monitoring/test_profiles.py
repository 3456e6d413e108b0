"""Alert rules as the profiles make them: right by Prometheus' own tool, and faster without asking anything else."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from provisioning.alert_rules import with_profile
from provisioning.profile import load_profile

from tests.monitoring.promtool import ROOT, RULES, promtool

PROFILES = ROOT / "monitoring" / "profiles"
PRODUCTION = {file.name: file.read_text() for file in RULES}
DEMO = load_profile("demo", PROFILES)


@pytest.fixture
def demo_rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    for name, text in with_profile(PRODUCTION, DEMO).items():
        (folder / name).write_text(text)
    return folder


def alerts(files: dict[str, str]) -> list[dict[str, Any]]:
    groups = [group for text in files.values() for group in yaml.safe_load(text)["groups"]]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def without_windows_and_samples(expression: str) -> str:
    """What an expression compares: no range, no minimum sample, no line breaks."""
    return " ".join(re.sub(r">= \d+", ">= N", re.sub(r"\[[^]]+]", "[window]", expression)).split())


def test_in_production_the_rules_are_those_of_the_repository_to_the_letter():
    assert with_profile(PRODUCTION, load_profile("production", PROFILES)) == PRODUCTION


def test_prometheus_reads_the_rules_of_the_demo(demo_rules):
    promtool("check", "rules", *sorted(demo_rules.glob("*.yml")))


@pytest.mark.parametrize(
    "file", sorted((ROOT / "monitoring/rules-tests/demo").glob("*.yml")), ids=lambda file: file.stem
)
def test_in_the_demo_the_rules_fire_fast_and_never_on_one_vote(file, demo_rules):
    promtool("test", "rules", shutil.copy(file, demo_rules.parent))


def test_the_demo_asks_the_same_of_fewer_answers_in_less_time():
    for shipped, shown in zip(alerts(PRODUCTION), alerts(with_profile(PRODUCTION, DEMO)), strict=True):
        assert without_windows_and_samples(shown["expr"]) == without_windows_and_samples(shipped["expr"])
        assert {**shown, "expr": None, "for": None} == {**shipped, "expr": None, "for": None}


def test_whatever_starts_a_run_is_faster_in_the_demo():
    changed = {change.alert for change in DEMO.alerts}
    assert {rule["alert"] for rule in alerts(PRODUCTION) if "nexus_action" in rule["labels"]} <= changed
