"""Does everything exist that workflows mention? Templates, tasks, parameters, artifacts, files, volumes, accounts. Each
flaw is one line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.manifests.argo_expressions import needed_by
from tests.manifests.argo_objects import WORKFLOWS
from tests.manifests.argo_templates import Manifest, kind_of, specs_of, tags_in, tasks_of, templates_of
from tests.manifests.rendering import of_kind

EVERYWHERE = {"workflow.name"}
AT_THE_END = {"workflow.status"}
"""What the exit handler alone may ask."""


@dataclass(frozen=True)
class Workflow:
    """One workflow among the others it may refer to."""

    name: str
    spec: Manifest
    templates: Mapping[str, Manifest]
    others: Mapping[str, Mapping[str, Manifest]]

    @property
    def parameters(self) -> dict[str, Manifest]:
        return _declared(self.spec.get("arguments", {}), "parameters")

    def called_by(self, task: Manifest) -> Manifest | None:
        """The template that a task runs."""
        if "templateRef" in task:
            return self.others.get(task["templateRef"]["name"], {}).get(task["templateRef"]["template"])
        return self.templates.get(task["template"])


def workflow_flaws(objects: list[Any]) -> list[str]:
    """What workflows mention and is not there."""
    kinds = of_kind(objects, *WORKFLOWS)
    others = {one["metadata"]["name"]: templates_of(specs_of(one)) for one in kinds}
    flaws = []
    for one in kinds:
        name = one["metadata"]["name"]
        workflow = Workflow(name, specs_of(one), others[name], others)
        flaws += [f"{name}: {flaw}" for flaw in _flaws_of(workflow)]
    return flaws


def _flaws_of(workflow: Workflow) -> Iterator[str]:
    for role in ("entrypoint", "onExit"):
        if role in workflow.spec and workflow.spec[role] not in workflow.templates:
            yield f"{role}: there is no template {workflow.spec[role]}"
    for template in workflow.templates.values():
        where = f"template {template['name']}"
        for flaw in (
            *_graph_flaws(workflow, template),
            *_tag_flaws(workflow, template),
            *_file_flaws(workflow, template),
        ):
            yield f"{where}: {flaw}"


def _graph_flaws(workflow: Workflow, template: Manifest) -> Iterator[str]:
    tasks = {task["name"]: task for task in tasks_of(template)}
    for name, task in tasks.items():
        for needed in sorted(needed_by(task.get("depends", "")) - tasks.keys()):
            yield f"task {name} depends on {needed}, which there is not"
        called = workflow.called_by(task)
        if called is None:
            yield f"task {name} runs a template that there is not: {task.get('template') or task['templateRef']}"
            continue
        yield from _argument_flaws(name, task.get("arguments", {}), called.get("inputs", {}))


def _argument_flaws(task: str, given: Manifest, inputs: Manifest) -> Iterator[str]:
    for kind in ("parameters", "artifacts"):
        arguments, wanted = _declared(given, kind), _declared(inputs, kind)
        for name in sorted(arguments.keys() - wanted.keys()):
            yield f"task {task} gives {kind} {name}, which its template does not take"
        for name, one in wanted.items():
            if name not in arguments and "value" not in one and not one.get("optional"):
                yield f"task {task} does not give {kind} {name}"


def _tag_flaws(workflow: Workflow, template: Manifest) -> Iterator[str]:
    known = EVERYWHERE | {f"workflow.parameters.{name}" for name in workflow.parameters}
    known |= {f"inputs.parameters.{name}" for name in _declared(template.get("inputs", {}), "parameters")}
    if template["name"] == workflow.spec.get("onExit"):
        known |= AT_THE_END
    body = {key: value for key, value in template.items() if key not in ("dag", "steps")}
    yield from (f"nothing is called {{{{{tag}}}}}" for tag in tags_in(body) if tag not in known)
    tasks = {task["name"]: task for task in tasks_of(template)}
    for name, task in tasks.items():
        said = known | _said_before(workflow, name, tasks)
        for tag in tags_in(task):
            if tag not in said:
                yield f"task {name}: nothing before it is called {{{{{tag}}}}}"


def _said_before(workflow: Workflow, name: str, tasks: Mapping[str, Manifest]) -> set[str]:
    """What the tasks leave that are surely over by then."""
    said: set[str] = set()
    for before in _before(name, tasks):
        outputs = (workflow.called_by(tasks[before]) or {}).get("outputs", {})
        for kind in ("parameters", "artifacts"):
            said |= {f"tasks.{before}.outputs.{kind}.{one}" for one in _declared(outputs, kind)}
    return said


def _before(name: str, tasks: Mapping[str, Manifest]) -> set[str]:
    found: set[str] = set()
    waiting = needed_by(tasks[name].get("depends", "")) & tasks.keys()
    while waiting:
        found |= waiting
        waiting = {more for one in waiting for more in needed_by(tasks[one].get("depends", "")) & tasks.keys()} - found
    return found


def _file_flaws(workflow: Workflow, template: Manifest) -> Iterator[str]:
    """What a container is to leave or to be given has to be where its command writes or reads it, on a volume."""
    if kind_of(template) != "container":
        return
    container = template["container"]
    words = " ".join(container.get("args", []))
    mounts = {mount["mountPath"]: mount["name"] for mount in container.get("volumeMounts", [])}
    volumes = {volume["name"] for volume in workflow.spec.get("volumes", [])}
    yield from (f"there is no volume {name}" for name in mounts.values() if name not in volumes)
    for path in (
        *(one["valueFrom"]["path"] for one in template.get("outputs", {}).get("parameters", [])),
        *(one["path"] for one in template.get("inputs", {}).get("artifacts", [])),
        *(one["path"] for one in template.get("outputs", {}).get("artifacts", []) if one["path"].startswith("/tmp")),
    ):
        if f"={path}" not in words:
            yield f"no argument of the command names the file {path}"
    for one in template.get("outputs", {}).get("artifacts", []):
        if not any(one["path"].startswith(f"{path}/") for path in mounts):
            yield f"{one['path']} is on no volume: the root is read-only"


def _declared(holder: Manifest, kind: str) -> dict[str, Manifest]:
    return {one["name"]: one for one in holder.get(kind, [])}
