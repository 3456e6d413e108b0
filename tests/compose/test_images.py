"""The images as they were built: small, without tools or secrets, and nobody's in particular."""

import json
import re
import subprocess
from functools import cache
from typing import Any, Final

import pytest

from tests.compose import dockerfiles
from tests.compose.composition import ROOT, read
from tests.compose.conftest import engine_missing
from tests.compose.dockerfiles import LABELS
from tests.compose.rules import NAMES_OF_SECRETS

MEGABYTE: Final = 1_000_000
MOST_ADDED: Final = {
    "gateway": 150,
    "alert-bridge": 150,
    "rag": 400,
    "ingest": 400,
    "ui": 400,
    "trainer": 1_400,
    "mlflow": 700,
    "triton": 400,
    "provisioning": 10,
}
"""Megabytes that an image may add to the one it is built on."""
BUILT: Final = {
    service["build"]["dockerfile"]: service["image"]
    for service in read().with_defaults().services.values()
    if "build" in service
}
IMAGES: Final = {re.split(r"[/:]", image)[-2]: (image, file) for file, image in BUILT.items()}
LEFT_OVERS: Final = """
find / -xdev \\( -path /proc -o -path /sys \\) -prune -o \\( \
    -path '/run/secrets/*' -o -path '/var/lib/apt/lists/*' -o -path '/var/cache/apt/*.bin' -o -name '*.deb' \
    -o -name '.cache' -o -name '.git' -o -name '.env' -o -name '*.env' -o -name '.netrc' -o -name '.pypirc' \
    -o -name 'id_rsa*' -o -name nexus_bootstrap_key -o -name nexus_internal_token \
    -o -path '*/bin/uv' -o -path '*/bin/gcc*' -o -path '*/bin/cc' -o -path '*/bin/g++*' -o -path '*/bin/ld' \
    -o -path '*/bin/make' -o -path '*/bin/cmake' -o -path '*/bin/rustc' -o -path '*/bin/strip' \
    \\) -print 2>/dev/null || true
"""

pytestmark = pytest.mark.compose


@pytest.fixture(params=MOST_ADDED)
def name(request: pytest.FixtureRequest) -> str:
    image = IMAGES[request.param][0]
    if reason := engine_missing():
        pytest.skip(reason)
    if inspected(image) is None:
        pytest.skip(f"{image} was not built here: make images")
    return str(request.param)


@pytest.fixture
def image(name: str) -> str:
    return IMAGES[name][0]


@pytest.fixture
def base(name: str) -> str:
    """The image that it was built on; the test is left out where that is not here any more, or has changed since."""
    file = dockerfiles.read(ROOT / IMAGES[name][1])
    argument = file.last[0].text.strip("${}")
    said = next(one.text.partition("=")[2] for one in file.arguments if one.text.startswith(f"{argument}="))
    below, above = inspected(said), inspected(IMAGES[name][0])
    assert above is not None
    if below is None or above["RootFS"]["Layers"][: len(layers := below["RootFS"]["Layers"])] != layers:
        pytest.skip(f"{said} is not the one that it was built on")
    return said


@cache
def inspected(image: str) -> dict[str, Any] | None:
    done = subprocess.run(
        ["docker", "image", "inspect", image], capture_output=True, text=True, timeout=60, check=False
    )
    found: dict[str, Any] | None = json.loads(done.stdout)[0] if done.returncode == 0 else None
    return found


@cache
def run(image: str, *command: str, user: str = "", program: str = "") -> str:
    """In a container that reaches nobody and keeps nothing."""
    options = ["--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--cap-add=DAC_OVERRIDE"]
    options += [f"--user={user}"] if user else []
    options += [f"--entrypoint={program}"] if program else []
    done = subprocess.run(
        ["docker", "run", *options, image, *command], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def left_in(image: str) -> set[str]:
    return set(run(image, "-c", LEFT_OVERS, user="0", program="sh").splitlines())


def test_every_image_has_a_size_it_may_have():
    assert IMAGES.keys() == MOST_ADDED.keys()


def test_an_image_adds_no_more_than_it_may(name, image, base):
    added = (inspected(image)["Size"] - inspected(base)["Size"]) / MEGABYTE
    assert 0 < added <= MOST_ADDED[name], f"{added:.0f} MB"


def test_it_is_run_by_nobody_in_particular(name, image):
    user = inspected(image)["Config"]["User"]
    assert user == ("" if name == "provisioning" else "10001:10001")


def test_it_starts_as_any_user_without_a_home_and_with_a_root_that_is_read_only(image):
    assert run(
        image, "-c", "import os; print(os.getuid(), os.access('/opt', os.W_OK))", user="12345", program="python3"
    ) == ("12345 False")


def test_it_says_what_it_is(image):
    labels = inspected(image)["Config"]["Labels"]
    assert {f"org.opencontainers.image.{label}" for label in LABELS} <= labels.keys()
    assert all(labels[f"org.opencontainers.image.{label}"] for label in LABELS)
    assert labels["org.opencontainers.image.version"] == image.rpartition(":")[2]


def test_somebody_looks_whether_it_is_well_unless_it_ends_by_itself(name, image):
    assert ("Healthcheck" in inspected(image)["Config"]) == (name != "provisioning")


def test_no_tool_cache_or_secret_came_with_what_was_added(image, base):
    assert left_in(image) - left_in(base) == set()


def test_the_search_for_left_overs_finds_some(image, base):
    """On an image with all of them, made of the same base for a moment."""
    make = "mkdir -p /tmp/a/bin /tmp/.cache; touch /tmp/.env /tmp/a/bin/uv /tmp/a/bin/gcc-12"
    script = f"{make}; {LEFT_OVERS.replace('-xdev', '')}"
    found = set(run(base, "-c", script, user="0", program="sh").splitlines())
    assert {"/tmp/.env", "/tmp/.cache", "/tmp/a/bin/uv", "/tmp/a/bin/gcc-12"} <= found


def test_no_secret_is_a_variable_or_a_line_of_its_history(image, base):
    """Whatever a build does stands there for everybody who has the image."""
    variables = dict(one.split("=", 1) for one in inspected(image)["Config"]["Env"])
    places = {name for name in variables if NAMES_OF_SECRETS.search(name)}
    assert {name for name in places if not variables[name].startswith("/opt/nexus/")} == set()
    command = ["docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image]
    lines = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert len(lines) > len(inspected(base)["RootFS"]["Layers"])
    assert [line for line in lines if re.search(r"(?:PASSWORD|SECRET|API_KEY|_TOKEN)=\S", line)] == []


def test_what_was_compiled_for_a_start_is_there(name, image):
    """A root that is read-only keeps nothing, so what is not compiled in the image is compiled at every start."""
    if name in ("triton", "provisioning"):
        folder = "/opt/nexus"
    else:
        folder = f"/opt/nexus/app/{'tracking' if name == 'mlflow' else name.replace('-', '_')}"
    assert int(run(image, "-c", f"find {folder} -name '*.pyc' | wc -l", user="0", program="sh")) > 0
