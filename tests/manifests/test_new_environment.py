"""`make env NAME=uat`: one more environment from the template, which holds together like the others."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.manifests.checks import CHECKS
from tests.manifests.rendering import CHECKOUT, K8S, named, of_kind, read, render


@pytest.fixture
def k8s(tmp_path: Path) -> Path:
    """A copy to write to."""
    shutil.copytree(K8S, tmp_path / "k8s")
    shutil.copytree(CHECKOUT / "serving" / "vllm_server", tmp_path / "serving" / "vllm_server")
    return tmp_path / "k8s"


def make(k8s: Path, *name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([k8s / "new-environment.sh", *name], capture_output=True, text=True, check=False)


def test_it_renders_and_holds_together(k8s: Path) -> None:
    done = make(k8s, "uat")
    assert done.returncode == 0, done.stderr
    objects = render(k8s / "overlays" / "uat")
    assert of_kind(objects, "Namespace")[0]["metadata"]["name"] == "nexus-uat"
    assert {name: problems for name, check in CHECKS.items() if (problems := check(objects))} == {}
    assert {one["spec"]["data"][0]["remoteRef"]["key"] for one in of_kind(objects, "ExternalSecret")} == {"nexus-uat"}


def test_argo_cd_delivers_it(k8s: Path) -> None:
    make(k8s, "uat")
    application = named(render(k8s / "argocd"), "Application", "nexus-uat")["spec"]
    assert application["source"]["path"] == "k8s/overlays/uat"
    assert application["destination"]["namespace"] == "nexus-uat"
    (about,) = read((k8s / "overlays" / "uat" / "environment.yaml").read_text())
    assert about == {"name": "uat", "stores": {"minio": "yes", "redis": "yes"}}


@pytest.mark.parametrize("name", ["", "UAT", "2nd", "u_at", "uat-", "../uat", "u at", "a" * 41])
def test_a_bad_name_is_refused(k8s: Path, name: str) -> None:
    before = _files(k8s)
    done = make(k8s, name)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert _files(k8s) == before


@pytest.mark.parametrize("name", ["prod", "uat"])
def test_one_that_is_there_is_left_alone(k8s: Path, name: str) -> None:
    make(k8s, "uat")
    before = _files(k8s)
    done = make(k8s, name)
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert _files(k8s) == before


def test_the_shipped_environments_say_nothing_that_the_template_does_not_know() -> None:
    """Whoever changes the template finds the three that were made of it before."""
    for file in (K8S / "templates" / "overlay").iterdir():
        for environment in ("dev", "staging", "prod"):
            assert (K8S / "overlays" / environment / file.name).exists()


def _files(folder: Path) -> dict[str, str]:
    return {
        str(path): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file() and os.access(path, os.R_OK)
    }
