"""What a profile may say, what it changes, and how a mistake in it is told."""

import os
from pathlib import Path

import pytest
import yaml
from embedded.alert_rules import with_profile
from embedded.errors import CannotStart
from embedded.preparing import prepare
from embedded.processes import processes
from embedded.profile import TIMINGS, Profile, load_profile, profile_of
from embedded.record import StackRecord
from embedded.running import settings_digest
from embedded.stack import Stack
from embedded.status import status

from embedded import sessions

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
        with pytest.raises(CannotStart, match="Profile fast changes the alert Slwo, which is not in monitoring/rules"):
            with_profile(FILES, profile({"alert": "Slow", "for": "1s"}, {"alert": "Slwo", "for": "1s"}))
        with pytest.raises(CannotStart, match=r'Worse\{figure="latency"\}, which is not'):
            with_profile(FILES, profile({"alert": "Worse", "labels": {"figure": "latency"}, "for": "1s"}))

    def test_are_not_changed_by_a_name_that_means_two_of_them(self):
        with pytest.raises(CannotStart, match="there are 2 such alerts: add labels"):
            with_profile(FILES, profile({"alert": "Worse", "for": "1s"}))


class TestAProfile:
    def test_that_does_not_exist_is_refused_with_those_that_do(self):
        with pytest.raises(CannotStart, match=r"no profile NEXUS_PROFILE=fast; there are: demo, production"):
            Stack.from_environment({"NEXUS_PROFILE": "fast"})

    def test_is_a_name_and_never_a_path(self):
        with pytest.raises(CannotStart, match="there are: demo, production"):
            Stack.from_environment({"NEXUS_PROFILE": "../rules/rag"})

    def test_that_is_not_yaml_is_refused_in_one_line(self, tmp_path: Path):
        (tmp_path / "fast.yml").write_text("alerts: [\n")
        with pytest.raises(CannotStart, match=r"^Profile fast is not YAML: [^\n]+$"):
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
        with pytest.raises(CannotStart, match=told):
            profile_of("fast", content)


class TestAStack:
    @staticmethod
    def of(tmp_path: Path, **caller: str) -> Stack:
        return Stack.from_environment({"NEXUS_STATE_DIR": str(tmp_path / "state"), "PATH": "/usr/bin:/bin", **caller})

    @staticmethod
    def told(stack: Stack, part: str) -> dict[str, str]:
        return dict(next(one for one in processes(stack, prepare(stack)) if one.name == part).environment)

    def test_is_for_production_unless_told_otherwise(self, tmp_path):
        for caller in ({}, {"NEXUS_PROFILE": ""}, {"NEXUS_PROFILE": "production"}):
            told = self.told(self.of(tmp_path, **caller), "trainer")
            assert told["NEXUS_PROFILE"] == "production"
            assert "NEXUS_FEEDBACK_WINDOW" not in told

    def test_gives_its_services_the_settings_of_the_profile_unless_the_caller_has_others(self, tmp_path):
        caller = {"NEXUS_PROFILE": "demo", "NEXUS_RUN_COOLDOWN": "PT7M"}
        for part in ("trainer", "trainer-worker", "alert-bridge", "rag"):
            told = self.told(self.of(tmp_path, **caller), part)
            assert told["NEXUS_FEEDBACK_WINDOW"] == "PT2M"
            assert told["NEXUS_RUN_COOLDOWN"] == "PT7M"

    def test_that_runs_is_not_the_one_that_another_profile_would_start(self, tmp_path):
        def digest(**caller: str) -> str:
            stack = self.of(tmp_path, **caller)
            return settings_digest(processes(stack, prepare(stack)))

        assert digest() == digest(NEXUS_PROFILE="production") != digest(NEXUS_PROFILE="demo")

    def test_gives_prometheus_the_rules_of_its_profile_and_none_that_are_gone(self, tmp_path):
        stack = self.of(tmp_path, NEXUS_PROFILE="demo")
        prepare(stack)
        folder = stack.state / "monitoring" / "rules"
        assert f"{folder}/*.yml" in (stack.state / "monitoring" / "prometheus.yml").read_text()
        assert "for: 10s" in (folder / "trainer.yml").read_text()
        (folder / "gone.yml").write_text("groups: []")
        prepare(self.of(tmp_path))
        shipped = stack.checkout / "monitoring" / "rules"
        assert {file.name: file.read_text() for file in folder.iterdir()} == {
            file.name: file.read_text() for file in shipped.iterdir()
        }

    def test_gives_alertmanager_the_timings_of_its_profile(self, tmp_path):
        def route(**caller: str) -> dict[str, object]:
            stack = self.of(tmp_path, **caller)
            prepare(stack)
            return yaml.safe_load((stack.state / "monitoring" / "alertmanager.yml").read_text())["route"]["routes"][0]

        demo = route(NEXUS_PROFILE="demo")
        assert (demo["group_wait"], demo["group_interval"], demo["repeat_interval"]) == ("1s", "5s", "15s")
        assert route()["repeat_interval"] == "5m"

    def test_that_runs_keeps_its_rules_when_somebody_asks_how_it_is_without_naming_its_profile(self, tmp_path, capsys):
        demo = self.of(tmp_path, NEXUS_PROFILE="demo")
        prepare(demo)
        ourselves = sessions.identify(os.getpid())
        assert ourselves is not None
        StackRecord(ourselves, "digest").save(demo.record_file)
        status(self.of(tmp_path))
        assert "ADDRESS" in capsys.readouterr().out
        assert "for: 10s" in (demo.state / "monitoring" / "rules" / "trainer.yml").read_text()
