"""Folders, ports and variables of a stack."""

import stat

import pytest
from embedded.errors import CannotStart
from embedded.processes import processes
from embedded.stack import Stack, ports_with_offset
from provisioning.addresses import PORTS


def test_the_offset_moves_every_port():
    assert ports_with_offset("1000") == {name: port + 1000 for name, port in PORTS.items()}


@pytest.mark.parametrize("offset", ["many", "1.5", "-1", "60000", "0x10"])
def test_an_offset_that_cannot_be_is_refused_with_what_can(offset):
    with pytest.raises(CannotStart, match="NEXUS_PORT_OFFSET"):
        ports_with_offset(offset)


def test_no_part_is_named_twice_and_no_port_is_used_twice(stack, secrets):
    parts = processes(stack, secrets)
    names = [part.name for part in parts]
    assert len(set(names)) == len(names)
    ports = [part.probe.port for part in parts]
    assert len(set(ports)) == len(ports)
    assert {need for part in parts for need in part.needs} <= set(names)


def test_only_what_needs_a_secret_is_told_it(stack, secrets):
    told = {part.name: set(part.environment.values()) for part in processes(stack, secrets)}
    assert {name for name, values in told.items() if secrets.admin_key in values} == {"gateway", "ui"}
    assert {name for name, values in told.items() if secrets.webhook_token in values} == {"alert-bridge"}
    trusted = {name for name, values in told.items() if secrets.internal_token in values}
    assert trusted == {"rag", "ingest", "ingest-worker", "trainer", "trainer-worker", "alert-bridge", "gateway"}


def test_a_part_that_does_not_exist_cannot_be_left_out(stack, secrets):
    assert "rag" not in {part.name for part in processes(stack, secrets, without=frozenset({"rag"}))}
    with pytest.raises(CannotStart, match="There is no part named rags"):
        processes(stack, secrets, without=frozenset({"rags"}))


def test_settings_of_the_caller_reach_the_services_but_no_secret_and_no_python_does(tmp_path):
    caller = {
        "NEXUS_STATE_DIR": str(tmp_path),
        "NEXUS_RECONCILE_SECONDS": "10",
        "NEXUS_INTERNAL_TOKEN": "mine",
        "PYTHONPATH": "/elsewhere",
        "HTTP_PROXY": "http://proxy:3128",
    }
    stack = Stack.from_environment(caller)
    from embedded.preparing import prepare

    rag = next(part for part in processes(stack, prepare(stack)) if part.name == "rag")
    assert rag.environment["NEXUS_RECONCILE_SECONDS"] == "10"
    assert rag.environment["NEXUS_INTERNAL_TOKEN"] != "mine"
    assert "PYTHONPATH" not in rag.environment
    assert "127.0.0.1" in rag.environment["NO_PROXY"]


def test_a_secret_that_the_caller_brings_reaches_the_one_part_that_needs_it(tmp_path):
    from embedded.preparing import prepare

    brought = {"NEXUS_MODEL_API_KEY": "of-the-model", "NEXUS_ARGO_EVENTS_TOKEN": "of-the-events"}
    stack = Stack.from_environment({"NEXUS_STATE_DIR": str(tmp_path), **brought})
    told = {part.name: set(part.environment.values()) for part in processes(stack, prepare(stack))}
    assert {name for name, values in told.items() if "of-the-model" in values} == {"rag"}
    assert {name for name, values in told.items() if "of-the-events" in values} == {"alert-bridge"}


def test_secrets_are_made_once_and_are_their_owners_alone(stack, secrets):
    from embedded.preparing import prepare

    assert prepare(stack) == secrets
    files = [stack.env_file, *(stack.state / "secrets").iterdir()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len(secrets.admin_key) >= 24


def test_the_env_file_has_one_variable_a_line(stack, secrets):
    lines = stack.env_file.read_text().splitlines()
    assert f"NEXUS_API_KEY={secrets.admin_key}" in lines
    assert "NEXUS_URL=http://127.0.0.1:8080" in lines
    assert all(line.count("=") >= 1 and line.startswith("NEXUS_") for line in lines)


def test_linear_algebra_takes_one_thread_unless_the_caller_says_otherwise(tmp_path):
    from embedded.preparing import prepare

    def threads(caller):
        stack = Stack.from_environment({"NEXUS_STATE_DIR": str(tmp_path), **caller})
        milvus = next(part for part in processes(stack, prepare(stack)) if part.name == "milvus")
        return milvus.environment["OPENBLAS_NUM_THREADS"]

    assert threads({}) == "1"
    assert threads({"OPENBLAS_NUM_THREADS": "4"}) == "4"
