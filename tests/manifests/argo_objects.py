"""The objects of k8s/argo, and the pods that its workflows make."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from tests.manifests.argo_templates import Manifest, filled, kind_of, specs_of, tags_in, templates_of
from tests.manifests.rendering import K8S, Objects, of_kind, render

FOLDER = K8S / "argo"
WORKFLOWS = ("WorkflowTemplate", "CronWorkflow")
_NUMBER = "2"
"""Stands for a parameter wherever one is put in: a number is a word, too."""


def argo_objects() -> Objects:
    """All of them; each caller gets its own, to break as it likes."""
    return render(FOLDER)


def workflow_templates(objects: Iterable[dict[str, Any]]) -> dict[str, Manifest]:
    """What a runner takes."""
    return {one["metadata"]["name"]: one for one in of_kind(objects, *WORKFLOWS)}


def pods_of_workflows(objects: Iterable[dict[str, Any]]) -> Objects:
    """A Pod for each container of each workflow, and the Jobs that workflows make, so that whatever is asked of pods
    can be asked of these; parameters have their defaults, or a number."""
    made: Objects = []
    for workflow in of_kind(objects, *WORKFLOWS):
        for name, template in templates_of(specs_of(workflow)).items():
            made += _made_by(workflow, name, template)
    return made


def _made_by(workflow: Manifest, name: str, template: Manifest) -> Iterator[dict[str, Any]]:
    title = f"{workflow['metadata']['name']}-{name}"
    match kind_of(template):
        case "container":
            yield _pod(title, specs_of(workflow), _placed(template["container"], specs_of(workflow)))
        case "resource":
            job = yaml.safe_load(_placed(template["resource"]["manifest"], specs_of(workflow)))
            job["metadata"]["name"] = f"{title}-job"
            job["metadata"].pop("generateName")
            yield job


def _pod(title: str, spec: Manifest, container: Manifest) -> dict[str, Any]:
    spec = copy.deepcopy(spec)
    patch = yaml.safe_load(spec.get("podSpecPatch", "{}"))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": title, "labels": spec["podMetadata"]["labels"]},
        "spec": {
            "serviceAccountName": spec["serviceAccountName"],
            "enableServiceLinks": patch.get("enableServiceLinks", True),
            "securityContext": spec["securityContext"],
            "restartPolicy": "Never",
            "volumes": spec["volumes"],
            "containers": [{"name": "main", **container}],
        },
    }


def _placed(value: Any, spec: Manifest) -> Any:
    """With the workflow's own defaults, and a number for what has none."""
    defaults = {one["name"]: one.get("value") for one in spec.get("arguments", {}).get("parameters", [])}
    return filled(value, {tag: defaults.get(tag.rpartition(".")[2]) or _NUMBER for tag in tags_in(value)})


def arguments_of(container: Mapping[str, Any]) -> list[str]:
    """The command line."""
    return [*container.get("command", []), *container.get("args", [])]
