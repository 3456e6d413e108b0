"""The Compose files hold what is promised of every container. That each rule can fail is shown on a broken copy."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from tests.compose import rules
from tests.compose.composition import COMPOSE, FILES, ROOT, Project, Service, interpolated, read, variables_in
from tests.compose.rules import RULES, Rule, complaints

SPECIFICATION = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())


def setting(**values: Any) -> Callable[[Service], None]:
    return lambda service: service.update(values)


def without(*names: str) -> Callable[[Service], None]:
    def remove(service: Service) -> None:
        for name in names:
            del service[name]

    return remove


HERE = {"type": "bind", "source": ".", "target": "/"}
BROKEN: list[tuple[Rule, str, Callable[[Service], None], str]] = [
    (rules.image_is_pinned_and_can_be_replaced, "redis", setting(image="redis:7.4"), "is no setting"),
    (rules.image_is_pinned_and_can_be_replaced, "redis", setting(image="${NEXUS_REDIS_IMAGE:-redis:latest}"), "no v"),
    (rules.image_is_pinned_and_can_be_replaced, "redis", setting(image="${NEXUS_REDIS_IMAGE:-a.b:5000/redis}"), "no v"),
    (rules.image_is_pinned_and_can_be_replaced, "rag", setting(image="nexus/rag:latest"), "does not take registry"),
    (rules.is_a_user_of_its_own, "rag", setting(user="0:0"), "its user is 0:0"),
    (rules.is_a_user_of_its_own, "ingest-worker", setting(user="10012:10012"), "the secrets' is 10013"),
    (rules.is_a_user_of_its_own, "grafana", without("user"), "the secrets' is 472"),
    (rules.root_is_read_only, "ui", without("read_only"), "can be written to"),
    (rules.may_do_nothing_special, "ui", without("cap_drop"), "keeps capabilities"),
    (rules.may_do_nothing_special, "ui", setting(cap_add=["NET_ADMIN"]), "is given capabilities"),
    (rules.may_do_nothing_special, "redis", without("security_opt"), "may gain privileges"),
    (rules.may_do_nothing_special, "redis", setting(privileged=True), "the machine's"),
    (rules.may_do_nothing_special, "redis", setting(network_mode="host"), "the machine's"),
    (rules.memory_is_limited, "milvus", without("deploy"), "no limit"),
    (rules.logs_are_rotated, "milvus", without("logging"), "grows for ever"),
    (rules.comes_back_unless_it_is_done, "rag", without("restart"), "not unless-stopped"),
    (rules.comes_back_unless_it_is_done, "buckets", setting(restart="unless-stopped"), "not no"),
    (rules.health_is_checked, "redis", without("healthcheck"), "nobody knows"),
    (rules.health_is_checked, "rag", setting(healthcheck={"disable": True}), "nobody knows"),
    (rules.health_is_checked, "redis", setting(healthcheck={"test": "redis-cli ping"}), "neither how often"),
    (rules.ports_are_this_machines_own, "rag", setting(ports=["8081:8081"]), "open to all"),
    (rules.ports_are_this_machines_own, "rag", setting(ports=["${NEXUS_BIND:-127.0.0.1}:8081:8081"]), "no setting"),
    (rules.waits_for_what_it_needs, "rag", setting(depends_on=["redis"]), "does not say"),
    (rules.waits_for_what_it_needs, "rag", setting(depends_on={"redis": {"condition": "service_started"}}), "awaits"),
    (rules.waits_for_what_it_needs, "rag", setting(depends_on={"mysql": {"condition": "service_healthy"}}), "no mysql"),
    (rules.waits_for_what_it_needs, "ui", setting(depends_on={"grafana": {"condition": "service_healthy"}}), "left"),
    (rules.secrets_are_there_before_it, "grafana", without("depends_on"), "before its secrets"),
    (rules.data_is_in_named_volumes, "redis", setting(volumes=["elsewhere:/data"]), "no named volume"),
    (rules.data_is_in_named_volumes, "redis", setting(volumes=[HERE]), "written"),
    (rules.data_is_in_named_volumes, "redis", setting(volumes=[HERE | {"source": "no"}]), "not exist"),
    (rules.data_is_in_named_volumes, "redis", setting(volumes=["/var/run/docker.sock:/s"]), "command the engine"),
    (rules.no_secret_is_a_variable, "postgres", setting(environment={"POSTGRES_PASSWORD": "x"}), "in the environment"),
    (rules.no_secret_is_a_variable, "postgres", setting(env_file=["secrets.env"]), "env_file"),
    (rules.reads_its_own_secrets, "ui", setting(environment={"X": "/run/secrets/nexus/gateway"}), "those of gateway"),
    (rules.reads_its_own_secrets, "redis", setting(command=["cat", "/run/secrets/nexus/redis/x"]), "nobody hands"),
]  # fmt: skip


PROJECT = read()


@pytest.fixture
def project() -> Project:
    return PROJECT.copy()


def invalid(content: dict[str, Any]) -> list[str]:
    found = jsonschema.validators.validator_for(SPECIFICATION)(SPECIFICATION).iter_errors(content)
    return [f"{error.json_path}: {error.message}" for error in found]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_each_file_is_valid_by_the_compose_specification(file):
    assert invalid(interpolated(yaml.safe_load(file.read_text()), {})) == []


def test_what_the_specification_does_not_know_is_seen():
    assert invalid({"services": {"a": {"image": "b:1", "restrat": "no"}}})
    assert invalid({"services": {"a": {"image": "b:1", "healthcheck": {"test": 5}}}})


def test_no_rule_has_a_complaint(project):
    assert complaints(project) == []


@pytest.mark.parametrize(("rule", "name", "break_it", "told"), BROKEN)
def test_a_broken_service_is_complained_about(project, rule, name, break_it, told):
    break_it(project.services[name])
    found = complaints(project, (rule,))
    assert [complaint for complaint in found if complaint.startswith(f"{name}: ") and told in complaint], found


def test_each_rule_was_seen_to_fail():
    assert {rule for rule, *_ in BROKEN} == set(RULES)


def test_no_two_parts_want_the_same_port_of_this_machine(project):
    ports = [port.split(":")[1] for one in project.with_defaults().services.values() for port in one.get("ports", [])]
    assert len(ports) > 15
    assert len(set(ports)) == len(ports)


def test_a_port_is_the_same_outside_and_inside_unless_somebody_moves_it(project):
    for name, service in project.with_defaults().services.items():
        for port in service.get("ports", []):
            _, outside, inside = port.split(":")
            assert outside == inside, name


def test_who_opens_databases_to_others_is_nobody(project):
    assert "ports" not in project.services["postgres"]
    assert "ports" not in project.services["etcd"]


def test_every_volume_is_used(project):
    used = set()
    for service in project.services.values():
        for mount in service.get("volumes", []):
            used.add(mount.split(":")[0] if isinstance(mount, str) else mount["source"])
    assert project.volumes <= used


def test_a_volume_that_a_user_of_ours_writes_to_is_handed_over_to_that_user(project):
    owners = {
        argument.removeprefix("--owner=/volumes/").split("=")[0]: argument.split("=")[-1]
        for argument in project.services["provisioning"]["command"]
        if argument.startswith("--owner=")
    }
    for name, service in project.services.items():
        for mount in service.get("volumes", []):
            volume = mount.split(":")[0] if isinstance(mount, str) else None
            if volume is None or name == "provisioning" or "user" not in service:
                continue
            assert owners.get(volume) == rules.SAME_USER.get(name, name), f"{name} cannot write to {volume}"


def test_observability_is_on_by_default_and_the_others_are_not(project):
    profiles = {profile for service in project.services.values() for profile in service.get("profiles", [])}
    assert profiles == {"observability", "gpu", "dev"}
    for folder in (ROOT, COMPOSE):  # `docker compose` reads the one that lies beside the file that it is given
        assert "COMPOSE_PROFILES=observability" in (folder / ".env").read_text().splitlines()


def test_workers_are_told_the_same_as_the_api_beside_them(project):
    """A setting that one of the two knows and the other does not is a riddle at three in the morning."""
    for api, worker in (("ingest", "ingest-worker"), ("trainer", "trainer-worker")):
        told = [
            {
                name: value
                for name, value in project.services[one]["environment"].items()
                if "WORKER_METRICS" not in name
            }
            for one in (api, worker)
        ]
        assert told[0] == told[1]


def test_a_variable_has_the_same_default_wherever_it_stands(project):
    defaults: dict[str, set[str]] = {}
    for name, default in variables_in(project.services):
        defaults.setdefault(name, set()).add(default)
    assert {name: found for name, found in defaults.items() if len(found) > 1} == {}


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
@pytest.mark.parametrize("root", [True, False], ids=["compose.yaml", "compose/compose.yaml"])
def test_docker_reads_the_files_as_these_tests_do(project, root):
    place = [] if root else ["-f", str(COMPOSE / "compose.yaml")]
    command = ["docker", "compose", *place, "--profile", "*", "config", "--format", "json"]
    unset = {name: value for name, value in os.environ.items() if not name.startswith(("NEXUS_", "COMPOSE_", "HF_"))}
    done = subprocess.run(command, cwd=ROOT, env=unset, capture_output=True, text=True, timeout=60, check=False)
    if "is not a docker command" in done.stderr or "unknown shorthand flag" in done.stderr:
        pytest.skip("docker has no compose")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout.replace("$$", "$"))  # it prints what can be read again
    theirs, ours = printed["services"], project.with_defaults().services
    assert theirs.keys() == ours.keys()
    for name, service in ours.items():
        for key in ("image", "user", "command", "read_only", "cap_drop", "restart", "tmpfs", "profiles"):
            assert theirs[name].get(key) == service.get(key), (name, key)
        told = {key: value for key, value in service.get("environment", {}).items() if value is not None}
        assert told.items() <= theirs[name].get("environment", {}).items(), name
