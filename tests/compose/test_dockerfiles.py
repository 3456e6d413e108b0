"""The Dockerfiles hold what is promised of every image. That each rule can fail is shown on a broken copy."""

import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.compose import dockerfiles
from tests.compose.composition import ROOT, read
from tests.compose.dockerfiles import DOCKERFILES, RULES, Rule, parsed

HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"
STAND_IN = ROOT / "tests/compose/object_store/Dockerfile"
GATEWAY = (ROOT / "services/gateway/Dockerfile").read_text()
LAST = "FROM ${PYTHON_IMAGE}\nCOPY images/healthy"
BROKEN: list[tuple[Rule, str, str, str]] = [
    (dockerfiles.is_built_in_one_stage_and_run_in_another, "--from=build", "", "nothing is copied"),
    (
        dockerfiles.base_images_are_arguments_with_a_version,
        "FROM ${PYTHON_IMAGE} AS build",
        "FROM python:3",
        "replaced",
    ),
    (dockerfiles.base_images_are_arguments_with_a_version, ":3.11-slim-bookworm", ":latest", "has no version"),
    (dockerfiles.base_images_are_arguments_with_a_version, ":3.11-slim-bookworm", "", "has no version"),
    (dockerfiles.final_stage_has_no_compiler, LAST, LAST.replace("\n", "\nRUN apt-get install gcc\n"), "gcc in the"),
    (
        dockerfiles.final_stage_has_no_compiler,
        LAST,
        LAST.replace("\n", "\nRUN apt-get install libpq-dev\n"),
        "libpq-dev",
    ),
    (
        dockerfiles.final_stage_has_no_compiler,
        LAST,
        LAST.replace("\n", "\nRUN pip install x\n"),
        "with their installer",
    ),
    (dockerfiles.final_stage_has_no_cache, LAST, LAST.replace("\n", "\nRUN apt-get install x\n"), "lists stay"),
    (dockerfiles.nothing_is_added_from_afar, "COPY libs/opskit libs/opskit", "ADD http://x /", "ADD fetches"),
    (dockerfiles.is_run_by_nobody_in_particular, "USER 10001:10001", "", "by root"),
    (dockerfiles.is_run_by_nobody_in_particular, "USER 10001:10001", "USER 0:0", "by root"),
    (dockerfiles.is_run_by_nobody_in_particular, "USER 10001:10001", "USER nexus", "by a name"),
    (dockerfiles.has_labels, "org.opencontainers.image.revision", "revision", "no label revision"),
    (dockerfiles.has_a_health_check_where_it_listens, "HEALTHCHECK --interval", "LABEL --interval", "nobody looks"),
    (dockerfiles.is_started_without_a_shell, 'CMD ["uvicorn"', 'CMD uvicorn ["', "by a shell"),
    (dockerfiles.what_is_locked_is_what_is_installed, "--frozen", "", "may be changed"),
    (dockerfiles.what_is_locked_is_what_is_installed, "/opt/venv --no-deps", "/opt/venv", "more may be installed"),
    (dockerfiles.no_secret_is_built_in, "=for-compiling-alone", "=hunter2", "NEXUS_INTERNAL_TOKEN is in a layer"),
]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.parent.relative_to(ROOT)))
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_has_no_complaint(file, rule):
    assert list(rule(dockerfiles.read(file))) == []


@pytest.mark.parametrize(("rule", "there", "instead", "told"), BROKEN)
def test_a_broken_file_is_complained_about(rule, there, instead, told):
    assert there in GATEWAY, "the test breaks what is not there"
    assert list(rule(parsed(GATEWAY))) == []
    found = list(rule(parsed(GATEWAY.replace(there, instead))))
    assert any(told in complaint for complaint in found), found


def test_each_rule_was_seen_to_fail():
    assert {rule for rule, *_ in BROKEN} == set(RULES)


@pytest.mark.parametrize("file", [*DOCKERFILES, STAND_IN], ids=lambda file: str(file.parent.relative_to(ROOT)))
def test_hadolint_has_nothing_to_say(file):
    done = subprocess.run([HADOLINT, "--no-color", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_dockerfile_is_looked_at_and_built_by_a_service():
    built = {one["build"]["dockerfile"] for one in read().services.values() if "build" in one}
    assert built == {str(file.relative_to(ROOT)) for file in DOCKERFILES}


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.parent.relative_to(ROOT)))
def test_all_that_a_dockerfile_copies_is_sent_to_the_builder(file):
    """.dockerignore keeps out everything that it does not name."""
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for stage in dockerfiles.read(file).stages:
        for one in stage:
            if one.word == "COPY" and "--from=" not in one.text:
                for source in one.text.split()[:-1]:
                    assert (ROOT / source).exists(), source
                    assert any(f"{source}/".startswith(f"{place}/") for place in sent), source


def test_the_images_share_base_and_installer():
    """One base for all is one download, one place to mend."""
    said = [argument.text for file in DOCKERFILES for argument in dockerfiles.read(file).arguments]
    assert len({text for text in said if text.startswith("PYTHON_IMAGE=")}) == 1
    assert len({text for text in said if text.startswith("UV_IMAGE=")}) == 1
