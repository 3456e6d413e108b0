"""Images by digest: what the script writes, and that an environment which wants it runs nothing else."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.manifests.metadata import OURS, by_tag
from tests.manifests.pods import pods
from tests.manifests.rendering import CHECKOUT, K8S, named, of_kind, overlay, read, render

REGISTRY = "registry.example.com/team/"
DOCKER = """#!/bin/sh
# Stands in for docker buildx imagetools inspect: a digest that follows from the reference.
for reference; do :; done
case "$reference" in *absent*) echo "not found" >&2; exit 1 ;; esac
echo "sha256:$(printf '%s' "$reference" | sha256sum | cut -d' ' -f1)"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy to write to, with a docker that knows every image."""
    shutil.copytree(K8S, tmp_path / "k8s")
    shutil.copytree(CHECKOUT / "serving" / "vllm_server", tmp_path / "serving" / "vllm_server")
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    tools = tmp_path / ".nexus" / "tools"
    tools.mkdir(parents=True)
    (tools / "bin").symlink_to(CHECKOUT / ".nexus" / "tools" / "bin")
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    return tmp_path


def pin(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = {**os.environ, "PATH": f"{checkout}:{os.environ['PATH']}"}
    command = [checkout / "k8s" / "pin-images.sh", *arguments]
    return subprocess.run(command, env=path, capture_output=True, text=True, check=False)


def test_a_pinned_environment_runs_every_image_by_its_digest(checkout: Path) -> None:
    done = pin(checkout, "prod", REGISTRY)
    assert done.returncode == 0, done.stderr
    objects = render(checkout / "k8s" / "overlays" / "prod")
    assert by_tag(objects) == []
    images = {container["image"] for pod in pods(objects) for container in pod.containers}
    assert {f"{REGISTRY}nexus/{name}" for name in OURS} <= {image.partition("@")[0] for image in images}
    template = named(objects, "WorkflowTemplate", "llm-retraining-pipeline")["spec"]
    assert template["templateDefaults"]["container"]["image"] in images
    assert "@sha256:" in next(
        one["value"] for one in template["arguments"]["parameters"] if one["name"] == "trainer-image"
    )


def test_pinning_again_writes_the_same(checkout: Path) -> None:
    file = checkout / "k8s" / "overlays" / "prod" / "images" / "kustomization.yaml"
    pin(checkout, "prod", REGISTRY)
    once = file.read_text()
    assert pin(checkout, "prod", REGISTRY).returncode == 0
    assert file.read_text() == once


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("dev", REGISTRY), "Which environment?"),
        ((), "Which environment?"),
        (("prod", "registry.example.com"), "end with a slash"),
        (("prod", "absent.example.com/"), "is not to be had"),
    ],
)
def test_what_cannot_be_pinned_changes_nothing(checkout: Path, arguments: tuple[str, ...], says: str) -> None:
    file = checkout / "k8s" / "overlays" / "prod" / "images" / "kustomization.yaml"
    before = file.read_text()
    done = pin(checkout, *arguments)
    assert (done.returncode, says in done.stderr) == (1, True), done.stderr
    assert file.read_text() == before


def test_an_environment_that_does_not_render_is_pinned_to_nothing(checkout: Path) -> None:
    file = checkout / "k8s" / "overlays" / "prod" / "images" / "kustomization.yaml"
    before = file.read_text()
    (checkout / "k8s" / "overlays" / "prod" / "milvus.yaml").unlink()
    done = pin(checkout, "prod", REGISTRY)
    assert (done.returncode, "does not render" in done.stderr) == (1, True), done.stderr
    assert file.read_text() == before


def test_prod_runs_only_digests_or_nothing_at_all() -> None:
    """Before images are in a registry they have no digest: then prod's namespace lets none of ours in."""
    objects = overlay("prod")
    ours = [line for line in by_tag(objects) if "nexus/" in line]
    pinned = read((K8S / "overlays" / "prod" / "images" / "kustomization.yaml").read_text())[0]["images"]
    assert (ours == []) == bool(pinned)
    assert of_kind(objects, "Namespace")[0]["metadata"]["labels"]["nexus-images"] == "by-digest"
    binding = of_kind(render(K8S / "platform"), "ValidatingAdmissionPolicyBinding")[0]["spec"]
    assert binding["matchResources"]["namespaceSelector"] == {"matchLabels": {"nexus-images": "by-digest"}}
    assert binding["validationActions"] == ["Deny"]
