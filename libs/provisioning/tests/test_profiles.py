"""What a profile may say, what it changes, and how a mistake in it is told."""

from pathlib import Path

import pytest
import yaml
from provisioning.alert_rules import with_profile
from provisioning.errors import CannotProvision
from provisioning.profile import TIMINGS, Profile, load_profile, profile_of

PROFILES = Path(__file__).parents[3] / "monitoring" / "profiles"
SLOW = """\
# How slow is slow.
groups:
  - name: one
    rules:
      - record: nexus:answers:rate5m
        expr: rate(nexus_answers_total[5m])
      - alert: Slow
        expr: seconds > 2
        for: 5m
        labels: {severity: warning}
"""
WORSE = """\
groups:
  - name: two
    rules:
      - alert: Worse
        expr: errors > 1
        for: 5m
        labels: {severity: warning, figure: errors}
      - alert: Worse
        expr: votes > 1
        for: 5m
        labels: {severity: warning, figure: votes}
"""
FILES = {"slow.yml": SLOW, "worse.yml": WORSE}
TIMED = dict.fromkeys(TIMINGS, "1s")


def profile(*alerts: dict[str, object]) -> Profile:
    return profile_of("fast", {"alerts": list(alerts), "alertmanager": TIMED})


def rules(text: str) -> list[dict[str, object]]:
    return yaml.safe_load(text)["groups"][0]["rules"]


class TestTheRules:
    def test_stay_as_they_are_to_the_letter_where_a_profile_says_nothing(self):
        assert with_profile(FILES, profile()) == FILES
        another = profile({"alert": "Worse", "labels": {"figure": "votes"}, "for": "1s"})
        assert with_profile(FILES, another)["slow.yml"] == SLOW

    def test_get_what_the_profile_replaces_and_keep_the_rest(self):
        made = rules(with_profile(FILES, profile({"alert": "Slow", "expr": "seconds > 3", "for": "1s"}))["slow.yml"])
        before = rules(SLOW)
        assert made == [before[0], {**before[1], "expr": "seconds > 3", "for": "1s"}]

    def test_keep_the_field_that_a_profile_does_not_name(self):
        made = rules(with_profile(FILES, profile({"alert": "Slow", "for": "1s"}))["slow.yml"])
        assert made[1]["expr"] == "seconds > 2"

    def test_of_one_name_are_told_apart_by_their_labels(self):
        votes = profile({"alert": "Worse", "labels": {"figure": "votes"}, "for": "1s"})
        made = rules(with_profile(FILES, votes)["worse.yml"])
        assert [rule["for"] for rule in made] == ["5m", "1s"]

    def test_that_were_changed_say_where_they_come_from(self):
        made = with_profile(FILES, profile({"alert": "Slow", "for": "1s"}))["slow.yml"]
        assert "monitoring/profiles/fast.yml" in made.splitlines()[0]

    def test_must_have_the_alert_that_a_profile_changes(self):
        with pytest.raises(
            CannotProvision, match="Profile fast changes the alert Slwo, which is not in monitoring/rules"
        ):
            with_profile(FILES, profile({"alert": "Slow", "for": "1s"}, {"alert": "Slwo", "for": "1s"}))
        with pytest.raises(CannotProvision, match=r'Worse\{figure="latency"\}, which is not'):
            with_profile(FILES, profile({"alert": "Worse", "labels": {"figure": "latency"}, "for": "1s"}))

    def test_are_not_changed_by_a_name_that_means_two_of_them(self):
        with pytest.raises(CannotProvision, match="there are 2 such alerts: add labels"):
            with_profile(FILES, profile({"alert": "Worse", "for": "1s"}))


class TestAProfile:
    @pytest.mark.parametrize("name", ["fast", "../rules/rag"])
    def test_is_a_name_of_those_that_there_are_and_never_a_path(self, name):
        with pytest.raises(CannotProvision, match=f"no profile NEXUS_PROFILE={name}; there are: demo, production"):
            load_profile(name, PROFILES)

    def test_that_is_not_yaml_is_refused_in_one_line(self, tmp_path: Path):
        (tmp_path / "fast.yml").write_text("alerts: [\n")
        with pytest.raises(CannotProvision, match=r"^Profile fast is not YAML: [^\n]+$"):
            load_profile("fast", tmp_path)

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            ("alerts", "names with values are expected"),
            ({"alertmanager": TIMED, "alert": []}, "alert is unknown; known are alerts"),
            ({}, "it has to say retrain_group_wait"),
            ({"alertmanager": {**TIMED, "group_wait": "1s"}}, "and nothing else"),
            ({"alertmanager": TIMED, "settings": {"NEXUS_CANARY_SHARE": 0.5}}, "put 0.5 in quotes"),
            ({"alertmanager": TIMED, "settings": {"CANARY_SHARE": "0.5"}}, "they begin with NEXUS_"),
            ({"alertmanager": TIMED, "alerts": {"Slow": "1s"}}, "it has to be a list"),
            ({"alertmanager": TIMED, "alerts": [{"for": "1s"}]}, "each names an alert"),
            ({"alertmanager": TIMED, "alerts": [{"alert": "Slow"}]}, "and its new expr or for"),
            ({"alertmanager": TIMED, "alerts": [{"alert": "Slow", "severity": "info"}]}, "severity is unknown"),
            ({"alertmanager": TIMED, "alerts": [{"alert": "Slow", "for": 10}]}, "put 10 in quotes"),
        ],
    )
    def test_that_says_what_cannot_be_is_refused_with_the_reason(self, content, told):
        with pytest.raises(CannotProvision, match=told):
            profile_of("fast", content)
