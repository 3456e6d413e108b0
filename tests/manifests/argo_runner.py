"""Runs workflow templates as Argo's controller would, with processes in the place of pods: graph, conditions,
parameters, artifacts, retries, exit handler and locks. What it does not know it refuses.

    Runner(templates, execute, folder).run("vector-ingestion-pipeline", {"object": "acme/default/guide.md"})
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.manifests.argo_expressions import Unsupported, holds, is_met, needed_by
from tests.manifests.argo_strictness import backoff_seconds, given_to, only
from tests.manifests.argo_templates import Manifest, filled, kind_of, specs_of, templates_of

OF_A_WORKFLOW = {
    *("entrypoint", "onExit", "arguments", "templates", "templateDefaults", "synchronization", "volumes"),
    *("workflowMetadata", "activeDeadlineSeconds", "serviceAccountName", "podGC", "ttlStrategy", "podMetadata"),
    *("securityContext", "podSpecPatch"),
}
OF_A_TEMPLATE = {
    *("name", "inputs", "outputs", "container", "dag", "steps", "resource", "retryStrategy", "activeDeadlineSeconds"),
    "serviceAccountName",
}
OF_A_TASK = {"name", "template", "templateRef", "depends", "when", "arguments"}
OF_A_CONTAINER = {
    *("image", "command", "args", "env", "envFrom", "resources", "securityContext", "volumeMounts", "name"),
}
OF_A_RETRY = {"limit", "expression", "backoff"}
OF_AN_OUTPUT = {"name", "path", "optional", "archive", "s3"}


@dataclass(frozen=True)
class Pod:
    """A container to be run: with its volumes by where they are mounted, and a folder for what is mounted nowhere."""

    name: str
    container: Manifest
    volumes: Mapping[str, Manifest]
    folder: Path
    deadline: float | None


@dataclass(frozen=True)
class Ended:
    """How a container ended, and where its files are on this machine."""

    code: int
    file: Callable[[str], Path]


Execute = Callable[[Pod], Ended]


@dataclass
class Node:
    """One task, as it came out."""

    name: str
    template: str
    phase: str
    codes: list[int] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)


@dataclass
class Workflow:
    """A workflow that was run."""

    name: str
    spec: Manifest
    parameters: Mapping[str, str]
    folder: Path
    status: str = "Running"
    nodes: list[Node] = field(default_factory=list)

    @property
    def phases(self) -> dict[str, str]:
        """How each task ended."""
        return {node.name: node.phase for node in self.nodes}

    def node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    @property
    def known(self) -> dict[str, str]:
        """What every tag of it may name."""
        parameters = {f"workflow.parameters.{name}": value for name, value in self.parameters.items()}
        return {"workflow.name": self.name, "workflow.status": self.status, **parameters}


class Runner:
    """`pause` is how a backoff is waited for: a test has no minutes."""

    def __init__(
        self,
        templates: Mapping[str, Manifest],
        execute: Execute,
        folder: Path,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._templates, self._execute, self._folder, self._pause = templates, execute, folder, pause
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def run(
        self, template: str, parameters: Mapping[str, str], *, entrypoint: str | None = None, name: str = "workflow"
    ) -> Workflow:
        """Run the workflow of a template to its end."""
        spec = specs_of(self._templates[template])
        only(OF_A_WORKFLOW, spec, f"workflow {template}")
        workflow = Workflow(name, spec, given_to(spec.get("arguments", {}), parameters, template), self._folder / name)
        with self._alone(spec):
            phase = self._template(workflow, name, template, entrypoint or spec["entrypoint"], {}, {}).phase
            workflow.status = "Succeeded" if phase == "Succeeded" else "Failed"
            if "onExit" in spec:
                self._template(workflow, f"{name}.onExit", template, spec["onExit"], {}, {})
        return workflow

    @contextmanager
    def _alone(self, spec: Manifest) -> Iterator[None]:
        """Mutexes are kept; semaphores, which only slow down, are not simulated."""
        wanted = spec.get("synchronization", {})
        only({"mutexes", "semaphores"}, wanted, "synchronization")
        with ExitStack() as held:
            for mutex in wanted.get("mutexes", []):
                with self._guard:
                    lock = self._locks.setdefault(mutex["name"], threading.Lock())
                held.enter_context(lock)
            yield

    def _template(
        self,
        workflow: Workflow,
        node: str,
        home: str,
        name: str,
        parameters: Mapping[str, str],
        artifacts: Mapping[str, Path],
    ) -> Node:
        """One template: `home` is the WorkflowTemplate that it stands in."""
        template = templates_of(specs_of(self._templates[home]))[name]
        only(OF_A_TEMPLATE, template, f"template {name}")
        inputs = template.get("inputs", {})
        only({"parameters", "artifacts"}, inputs, f"inputs of {name}")
        given = given_to(inputs, parameters, name)
        known = {**workflow.known, **{f"inputs.parameters.{key}": value for key, value in given.items()}}
        match kind_of(template):
            case "container":
                made = self._retried(workflow, node, template, known, artifacts)
            case "dag":
                made = self._graph(workflow, node, home, template, known)
            case "steps":
                made = self._list(workflow, node, home, template, known)
            case kind:
                raise Unsupported(f"the {kind} template {name}")
        workflow.nodes.append(made)
        return made

    def _graph(self, workflow: Workflow, node: str, home: str, template: Manifest, known: Mapping[str, str]) -> Node:
        only({"tasks"}, template["dag"], f"dag {template['name']}")
        waiting = {task["name"]: task for task in template["dag"]["tasks"]}
        done: dict[str, Node] = {}
        while waiting:
            ready = [task for task in waiting.values() if needed_by(task.get("depends", "")) <= done.keys()]
            if not ready:
                raise Unsupported(f"tasks that wait for one another or for nothing there is: {', '.join(waiting)}")
            for task in ready:
                met = "depends" not in task or is_met(task["depends"], {name: one.phase for name, one in done.items()})
                done[task["name"]] = self._task(workflow, home, task, "tasks", done, known, wanted=met)
                del waiting[task["name"]]
        return Node(node, template["name"], _together(done.values()))

    def _list(self, workflow: Workflow, node: str, home: str, template: Manifest, known: Mapping[str, str]) -> Node:
        done: dict[str, Node] = {}
        for group in template["steps"]:
            for step in group:
                wanted = _together(done.values()) == "Succeeded"
                done[step["name"]] = self._task(workflow, home, step, "steps", dict(done), known, wanted=wanted)
        return Node(node, template["name"], _together(done.values()))

    def _task(
        self,
        workflow: Workflow,
        home: str,
        task: Manifest,
        kind: str,
        done: Mapping[str, Node],
        known: Mapping[str, str],
        *,
        wanted: bool,
    ) -> Node:
        only(OF_A_TASK, task, f"task {task['name']}")
        name = task["name"]
        if not wanted:
            return _passed_over(workflow, task, "Omitted")
        known = {**known, **_said(done, kind)}
        if "when" in task and not holds(filled(task["when"], known)):
            return _passed_over(workflow, task, "Skipped")
        arguments = task.get("arguments", {})
        only({"parameters", "artifacts"}, arguments, f"arguments of {name}")
        parameters = {one["name"]: filled(one["value"], known) for one in arguments.get("parameters", [])}
        left = {
            f"{kind}.{who}.outputs.artifacts.{key}": path
            for who, one in done.items()
            for key, path in one.artifacts.items()
        }
        artifacts = {one["name"]: left[one["from"].strip("{}")] for one in arguments.get("artifacts", [])}
        if "templateRef" in task:
            home, template = task["templateRef"]["name"], task["templateRef"]["template"]
        else:
            template = task["template"]
        return self._template(workflow, name, home, template, parameters, artifacts)

    def _retried(
        self, workflow: Workflow, node: str, template: Manifest, known: Mapping[str, str], artifacts: Mapping[str, Path]
    ) -> Node:
        retry = template.get("retryStrategy", {"limit": "0"})
        only(OF_A_RETRY, retry, f"retryStrategy of {template['name']}")
        made = Node(node, template["name"], "Failed")
        while True:
            pod = self._pod(workflow, f"{node}-{len(made.codes)}", template, known)
            ended = self._started(pod, template, artifacts)
            made.codes.append(ended.code)
            if ended.code == 0:
                made.phase = "Succeeded"
                self._collect(workflow, made, template, known, ended)
                return made
            last = {"lastRetry.exitCode": str(ended.code), "lastRetry.status": "Failed"}
            if len(made.codes) > int(retry["limit"]) or not holds(retry.get("expression", "1 == 1"), last):
                return made
            self._pause(backoff_seconds(retry.get("backoff", {}), len(made.codes)))

    def _pod(self, workflow: Workflow, name: str, template: Manifest, known: Mapping[str, str]) -> Pod:
        container = filled(template["container"], known)
        only(OF_A_CONTAINER, container, f"container of {template['name']}")
        mounted = {mount["mountPath"]: mount["name"] for mount in container.get("volumeMounts", [])}
        volumes = {volume["name"]: volume for volume in workflow.spec.get("volumes", [])}
        deadline = filled(template.get("activeDeadlineSeconds"), known)
        return Pod(
            name=name,
            container=container,
            volumes={path: volumes[volume] for path, volume in mounted.items()},
            folder=workflow.folder / name,
            deadline=None if deadline is None else float(deadline),
        )

    def _started(self, pod: Pod, template: Manifest, artifacts: Mapping[str, Path]) -> Ended:
        pod.folder.mkdir(parents=True)
        for wanted in template.get("inputs", {}).get("artifacts", []):
            only({"name", "path"}, wanted, f"an artifact of {template['name']}")
            place = pod.folder / wanted["path"].lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(artifacts[wanted["name"]], place)
        return self._execute(pod)

    def _collect(
        self, workflow: Workflow, made: Node, template: Manifest, known: Mapping[str, str], ended: Ended
    ) -> None:
        outputs = template.get("outputs", {})
        only({"parameters", "artifacts"}, outputs, f"outputs of {template['name']}")
        for one in outputs.get("parameters", []):
            only({"name", "valueFrom"}, one, "an output parameter")
            only({"path"}, one["valueFrom"], "an output parameter")
            made.parameters[one["name"]] = ended.file(one["valueFrom"]["path"]).read_text(encoding="utf-8")
        for one in filled(outputs.get("artifacts", []), known):
            only(OF_AN_OUTPUT, one, "an output artifact")
            if one.get("archive", {}).keys() != {"none"}:
                raise Unsupported(f"the packed artifact {one['name']}")
            kept = workflow.folder / "artifacts" / one.get("s3", {}).get("key", f"{made.name}/{one['name']}")
            source = ended.file(one["path"])
            if not source.exists() and one.get("optional"):
                continue
            kept.parent.mkdir(parents=True, exist_ok=True)
            made.artifacts[one["name"]] = Path(shutil.copyfile(source, kept))


def _passed_over(workflow: Workflow, task: Manifest, phase: str) -> Node:
    node = Node(task["name"], task.get("template") or task["templateRef"]["template"], phase)
    workflow.nodes.append(node)
    return node


def _together(nodes: Any) -> str:
    return "Failed" if any(node.phase == "Failed" for node in nodes) else "Succeeded"


def _said(done: Mapping[str, Node], kind: str) -> dict[str, str]:
    """What later tasks may refer to."""
    said = {f"{kind}.{name}.status": node.phase for name, node in done.items()}
    for name, node in done.items():
        said |= {f"{kind}.{name}.outputs.parameters.{key}": value for key, value in node.parameters.items()}
    return said
