"""What the files tell the containers is what these understand, and all that can be set can be set from outside."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from provisioning.addresses import PORTS, by_service_name
from provisioning.monitoring import render
from provisioning.profile import load_profile
from provisioning.secret_table import SECRETS
from pydantic import TypeAdapter

from tests.compose import known_settings
from tests.compose.composition import COMPOSE, ROOT, read, variables_in
from tests.compose.known_settings import example, program_of, set_by_its_image, settings_of, understood_by

PROJECT = read()
STARTED = PROJECT.with_defaults()
SERVICES = ("gateway", "rag", "ingest", "trainer", "alert-bridge", "ui")
OF_OTHERS = {name for name, service in PROJECT.services.items() if "nexus/" not in service["image"]} - {"vllm"}
NOT_PASSED_ON = {
    ("rag", "NEXUS_RELEASE_FILE"): "what serves is trainer's to say; the file is of the first start",
    ("ingest", "NEXUS_STORE_FOLDER"): "documents lie in a bucket here",
    ("ingest", "NEXUS_WORKER_METRICS_PORT"): "the contract's, inside; outside NEXUS_INGEST_WORKER_PORT",
    ("trainer", "NEXUS_WORKER_METRICS_PORT"): "the contract's, inside; outside NEXUS_TRAINER_WORKER_PORT",
    ("ui", "NEXUS_UI_PORT"): "the contract's, inside; the variable is for the port outside",
}
"""Settings of services that cannot be set in .env, each with its reason."""
CHOSEN_BY_THE_PROGRAM = {"NEXUS_MODEL_CONTEXT", "NEXUS_MODEL_SLOTS", "NEXUS_MODEL_THREADS", "NEXUS_MILVUS_FLUSH"}
"""They have no one default; .env.example shows an example and says so."""
EXAMPLES = CHOSEN_BY_THE_PROGRAM | {"NEXUS_ARGO_EVENTS_URL", "HF_ENDPOINT", "NEXUS_VLLM_GPU_SHARE", "NEXUS_VLLM_ENGINE"}
OF_COMPOSE_ITSELF = {"COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"}


def passed_to(program: str) -> dict[str, str | None]:
    """By all containers that run it."""
    told: dict[str, str | None] = {}
    for name, service in PROJECT.services.items():
        if name not in OF_OTHERS and program_of(name, service) == program:
            told |= service.get("environment", {})
    return told


def can_be_set() -> set[str]:
    """All variables that the files ask for, in `${…}` or by their bare name."""
    bare = {
        name
        for service in PROJECT.services.values()
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    return bare | {name for name, _ in variables_in(PROJECT.services)}


@pytest.mark.parametrize("name", sorted(PROJECT.services.keys() - OF_OTHERS))
def test_a_container_understands_all_that_it_is_told(name):
    service = PROJECT.services[name]
    assert set(service.get("environment", {})) - understood_by(program_of(name, service)) == set()


@pytest.mark.parametrize("program", [*SERVICES, "triton", "mlflow", "provisioning", "vllm"])
def test_a_misspelt_variable_would_be_noticed(program):
    known = understood_by(program)
    assert len(known) > 3
    assert not {"NEXUS_MODLE", "NEXUS_", "NEXUS_LOGLEVEL"} & known


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_of_a_service_is_passed_on_or_has_a_reason_not_to_be(service):
    settings = settings_of(service)
    assert settings is not None
    fields = {f"NEXUS_{field}".upper() for field in settings.model_fields}
    in_files = {secret.name.upper() for secret in SECRETS if service in secret.readers}
    reasons = {variable for one, variable in NOT_PASSED_ON if one == service}
    assert fields - passed_to(service).keys() - in_files - set_by_its_image(service) == reasons


def test_the_settings_of_serving_are_passed_to_all_who_open_models():
    for name in ("triton", "trainer", "trainer-worker"):
        told = PROJECT.services[name]["environment"].keys()
        assert {"NEXUS_MODEL", "NEXUS_MODEL_CONTEXT", "NEXUS_MODEL_SLOTS", "NEXUS_MODEL_THREADS"} <= told


def test_the_example_names_everything_that_can_be_set_and_nothing_else():
    assert {name for name, *_ in example()} - OF_COMPOSE_ITSELF == can_be_set()


def test_the_example_names_nothing_twice():
    names = [name for name, *_ in example()]
    assert sorted(set(names)) == sorted(names)


def test_only_the_profiles_are_set_in_the_example():
    assert [(name, value) for name, value, commented in example() if not commented] == [
        ("COMPOSE_PROFILES", "observability")
    ]


def test_no_default_in_the_example_is_another_than_that_of_the_files():
    defaults = {name: default for name, default in variables_in(PROJECT.services) if "${" not in default}
    shown = {name: value for name, value, _ in example() if name in defaults and name not in CHOSEN_BY_THE_PROGRAM}
    assert len(shown) > 60
    assert shown == {name: defaults[name] for name in shown}


@pytest.mark.parametrize("service", SERVICES)
def test_no_default_in_the_example_is_another_than_that_of_the_service(service):
    settings = settings_of(service)
    assert settings is not None
    shown = {name: value for name, value, _ in example()}
    passed_bare = {name for name, value in passed_to(service).items() if value is None} - EXAMPLES
    for variable in passed_bare & {f"NEXUS_{field}".upper() for field in settings.model_fields}:
        field = settings.model_fields[variable.removeprefix("NEXUS_").lower()]
        assert TypeAdapter(field.annotation).validate_python(shown[variable]) == field.default, variable


def test_a_comment_stands_above_every_group():
    groups = (ROOT / ".env.example").read_text().split("\n\n")[1:]
    assert all(group.startswith("# ---- ") for group in groups if group.strip() and "cp .env" not in group)


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_the_example_with_every_mark_of_comment_removed_starts_the_same_stack(tmp_path):
    everything = tmp_path / "all.env"
    everything.write_text("".join(f"{name}={value}\n" for name, value, _ in example()))

    def printed(*options: str) -> dict[str, dict[str, object]]:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("NEXUS_", "COMPOSE_", "HF_"))
        }
        command = ["docker", "compose", *options, "config", "--format", "json"]
        done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=False)
        if "is not a docker command" in done.stderr or "unknown shorthand flag" in done.stderr:
            pytest.skip("docker has no compose")
        assert done.returncode == 0, done.stderr
        services: dict[str, dict[str, object]] = json.loads(done.stdout)["services"]
        return services

    default, explicit = printed(), printed("--env-file", str(everything))
    for services in (default, explicit):
        for service in services.values():
            service.pop("environment", None)
    assert explicit == default


def test_what_the_profiles_set_reaches_a_service():
    """`settings demo` prints an env-file: a variable that no file passes on would change nothing."""
    for file in (ROOT / "monitoring" / "profiles").glob("*.yml"):
        profile = load_profile(file.stem, file.parent)
        assert profile.settings.keys() <= can_be_set(), profile.name


def test_every_service_that_keeps_something_has_its_database():
    asked = {secret.name.removeprefix("nexus_").removesuffix("_database_url") for secret in SECRETS}
    wanted = {name for name in asked if f"nexus_{name}_database_url" in {secret.name for secret in SECRETS}}
    assert set(known_settings.databases_made()) == wanted | {"mlflow"}


def addresses_in(name: str) -> set[str]:
    """host:port of each service of the project that a container is told of."""
    variables = STARTED.services[name].get("environment", {}).items()
    told = "\n".join(str(value) for variable, value in variables if not variable.endswith("_IMAGE"))
    return {f"{host}:{port}" for host, port in re.findall(r"(?:^|//|@)([a-z][a-z-]+):(\d+)\b", told, re.MULTILINE)}


def test_every_address_is_that_of_a_service_on_its_contracts_port():
    beside = {"minio:9000", "etcd:2379"}
    for name in STARTED.services:
        assert addresses_in(name) <= set(by_service_name().values()) | beside, name


def test_what_has_a_port_in_the_contract_is_a_service_that_publishes_it():
    published = {
        f"{name}:{port.rpartition(':')[2]}"
        for name, service in STARTED.services.items()
        for port in service.get("ports", [])
    }
    assert set(by_service_name().values()) <= published
    assert len(by_service_name()) == len(PORTS)


def test_what_prometheus_watches_are_services_and_their_ports(tmp_path):
    render(
        ROOT / "monitoring",
        tmp_path,
        load_profile("production", ROOT / "monitoring" / "profiles"),
        addresses=by_service_name(),
        rules="rules",
        webhook_token_file=Path("/run/secrets/nexus/alertmanager/nexus_webhook_token"),
    )
    jobs = yaml.safe_load((tmp_path / "prometheus.yml").read_text())["scrape_configs"]
    targets = {target for job in jobs for one in job["static_configs"] for target in one["targets"]}
    assert {target.partition(":")[0] for target in targets} <= STARTED.services.keys()
    assert targets <= set(by_service_name().values())
    ours = {name for name, service in PROJECT.services.items() if "nexus/" in service["image"]}
    watched = {target.partition(":")[0] for target in targets}
    assert ours - watched == {"provisioning", "buckets", "demo-documents"}


def test_what_triton_and_the_trainer_keep_lies_at_the_same_place():
    mounts = [
        {
            volume
            for volume in PROJECT.services[name]["volumes"]
            if isinstance(volume, str) and not volume.startswith("runs")
        }
        for name in ("triton", "trainer", "trainer-worker")
    ]
    assert mounts[0] == mounts[1] == mounts[2]


def test_dashboards_and_data_source_are_where_grafana_looks():
    volumes = PROJECT.services["grafana"]["volumes"]
    targets = {mount["target"]: COMPOSE / mount["source"] for mount in volumes if isinstance(mount, dict)}
    provider = yaml.safe_load((COMPOSE / "config/grafana/provisioning/dashboards/nexus.yaml").read_text())["providers"][
        0
    ]
    assert list(targets[provider["options"]["path"]].glob("*.json"))
    home = Path(PROJECT.services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (targets[str(home.parent)] / home.name).exists()
