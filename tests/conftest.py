"""One stack for the whole session, and the small library that most tests ask about.

The path is for the tests of the whole product, which import each other's clients: `from tests.e2e.clients import …`.
"""

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.e2e.clients import Nexus  # noqa: E402
from tests.e2e.library import library  # noqa: E402
from tests.e2e.stack import Stack, running_stack, start_stack  # noqa: E402


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
    if "NEXUS_E2E_ENV" in os.environ:
        pytest.skip("the stack of NEXUS_E2E_ENV belongs to somebody; only one that we started is harmed")
    return stack


@pytest.fixture(scope="session")
def embedded_stack(own_stack: Stack) -> Stack:
    """One that `make up` started: its parts are processes here, its documents a folder."""
    if own_stack.state is None:
        pytest.skip("of the stack without containers")
    return own_stack


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
