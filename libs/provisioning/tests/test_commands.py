"""What the other commands print."""

from pathlib import Path

import pytest
import yaml
from provisioning.__main__ import main

MONITORING = Path(__file__).parents[3] / "monitoring"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments, "--monitoring", str(MONITORING)]) == 0
    return capsys.readouterr().out


class TestSettings:
    def test_of_a_profile_are_lines_for_an_env_file(self, capsys):
        lines = said(capsys, "settings", "demo").splitlines()
        assert lines[0] == "NEXUS_PROFILE=demo"
        assert "NEXUS_FEEDBACK_WINDOW=PT2M" in lines
        assert said(capsys, "settings", "production") == "NEXUS_PROFILE=production\n"

    def test_of_no_profile_are_refused(self, capsys):
        assert main(["settings", "fast", "--monitoring", str(MONITORING)]) == 1
        assert capsys.readouterr().err == "There is no profile NEXUS_PROFILE=fast; there are: demo, production\n"


class TestRules:
    def test_are_those_of_the_files_group_by_group(self, capsys):
        made = yaml.safe_load(said(capsys, "rules"))
        assert (made["apiVersion"], made["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
        files = [yaml.safe_load(file.read_text()) for file in sorted((MONITORING / "rules").glob("*.yml"))]
        assert made["spec"]["groups"] == [group for file in files for group in file["groups"]]

    def test_have_no_two_groups_of_one_name_which_the_operator_refuses(self, capsys):
        names = [group["name"] for group in yaml.safe_load(said(capsys, "rules"))["spec"]["groups"]]
        assert len(set(names)) == len(names)

    def test_are_printed_the_same_each_time_and_read_well(self, capsys):
        text = said(capsys, "rules")
        assert text == said(capsys, "rules")
        assert "expr: |\n" in text
        assert "\\n" not in text

    def test_are_named_and_labelled_as_asked(self, capsys):
        options = ("--name", "alerts", "--namespace", "nexus", "--label", "release=prometheus")
        assert yaml.safe_load(said(capsys, "rules", *options))["metadata"] == {
            "name": "alerts",
            "namespace": "nexus",
            "labels": {"release": "prometheus"},
        }
        assert main(["rules", "--label", "release"]) == 1

    def test_are_as_fast_as_their_profile(self, capsys):
        assert "for: 10s" not in said(capsys, "rules")
        assert "for: 10s" in said(capsys, "rules", "--profile", "demo")
