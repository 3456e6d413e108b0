"""What a stack does with the profile it was asked for."""

import os
from pathlib import Path

import pytest
import yaml
from embedded.errors import CannotStart
from embedded.preparing import prepare
from embedded.processes import processes
from embedded.record import StackRecord
from embedded.running import settings_digest
from embedded.stack import Stack
from embedded.status import status

from embedded import sessions


@pytest.mark.parametrize("name", ["fast", "../rules/rag"])
def test_a_profile_that_does_not_exist_is_refused_with_those_that_do(name):
    with pytest.raises(CannotStart, match=f"no profile NEXUS_PROFILE={name}; there are: demo, production"):
        Stack.from_environment({"NEXUS_PROFILE": name})


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
