"""What is refused before anything starts."""

import socket

import pytest
from embedded.errors import CannotStart
from embedded.processes import processes
from embedded.stack import Stack

from embedded import preflight


@pytest.fixture
def taken():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def with_port(stack: Stack, port: int) -> Stack:
    return Stack(stack.state, stack.cache, {"gateway": port}, stack.inherited)


def test_a_taken_port_is_named_with_its_holder_and_a_way_out(stack, taken):
    with pytest.raises(CannotStart) as refused:
        preflight.check_ports(with_port(stack, taken))
    assert f"Port {taken} (gateway) is taken by " in str(refused.value)
    assert "NEXUS_PORT_OFFSET" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_port_that_was_just_given_back_is_free(stack):
    with socket.create_server(("127.0.0.1", 0)) as server:  # with SO_REUSEADDR, as servers have it
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            server.accept()[0].close()
            client.recv(1)
    preflight.check_ports(with_port(stack, port))


def test_a_disk_without_room_is_refused_with_how_much_is_needed(stack):
    with pytest.raises(CannotStart, match=r"GiB are free .* NEXUS_STATE_DIR"):
        preflight.check_disk(stack.state, needed=10**18)
    preflight.check_disk(stack.state, needed=1)


def test_a_missing_program_is_named_with_what_it_runs(stack, secrets):
    nowhere = Stack(stack.state, stack.cache, stack.ports, {**stack.inherited, "PATH": "/nonexistent"})
    with pytest.raises(CannotStart, match="redis-server, which runs redis, is not installed"):
        preflight.check_programs(processes(nowhere, secrets))
