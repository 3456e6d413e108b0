"""One stack for the whole session, and the small library that most tests ask about."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clients import Nexus
from tests.e2e.library import library
from tests.e2e.stack import Stack, running_stack, start_stack

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What harms the stack comes last."""
    items.sort(key=lambda item: item.path == HERE / "test_faults.py")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The stack: NEXUS_E2E_ENV names the env file of a running one, otherwise one is started for this run."""
    if env_file := os.environ.get("NEXUS_E2E_ENV"):
        yield running_stack(Path(env_file))
        return
    yield from start_stack()


@pytest.fixture(scope="session")
def own_stack(stack: Stack) -> Stack:
    """A stack that may be broken."""
    if stack.state is None:
        pytest.skip("the stack of NEXUS_E2E_ENV belongs to somebody; only one that we started is harmed")
    return stack


@pytest.fixture(scope="session")
def admin(stack: Stack) -> Iterator[Nexus]:
    """The admin key, in the knowledge base `default`."""
    with Nexus(stack.url, stack.key) as client:
        yield client


@pytest.fixture(scope="session")
def shelf(admin: Nexus) -> Nexus:
    """The library in a knowledge base of its own, indexed. Tests read it and change nothing."""
    client = admin.within(f"library-{uuid.uuid4().hex[:8]}")
    etags = {key: client.put(key, data).json()["etag"] for key, data in library().items()}
    for key, etag in etags.items():
        client.wait_for(key, "indexed", etag=etag)
    return client


@pytest.fixture
def desk(admin: Nexus) -> Iterator[Nexus]:
    """An empty knowledge base for one test."""
    client = admin.within(f"desk-{uuid.uuid4().hex[:8]}")
    yield client
    client.close()
