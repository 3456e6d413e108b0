"""Do the sub-commands and options exist that steps are started with? The command lines themselves are asked."""

from collections.abc import Iterator
from typing import Any

from tests.manifests.argo_objects import WORKFLOWS, arguments_of, pods_of_workflows
from tests.manifests.argo_templates import filled, kind_of, specs_of, tags_in, tasks_of, templates_of
from tests.manifests.commands import problems_of
from tests.manifests.rendering import of_kind


def command_flaws(objects: list[Any]) -> list[str]:
    """What steps ask of our programs and these do not know."""
    return [f"{owner}: {flaw}" for owner, words in command_lines(objects) for flaw in problems_of(words)]


def command_lines(objects: list[Any]) -> Iterator[tuple[str, list[str]]]:
    """Every command line, each task's with its own arguments; what only a run can know is stood for by `x`."""
    for workflow in of_kind(objects, *WORKFLOWS):
        name, templates = workflow["metadata"]["name"], templates_of(specs_of(workflow))
        called = [task for template in templates.values() for task in tasks_of(template) if "template" in task]
        for task in called:
            if kind_of(templates[task["template"]]) == "container":
                yield f"{name}/{task['name']}", _line(templates[task["template"]], task)
        names = {task["template"] for task in called}
        for template in templates.values():
            if template["name"] not in names and kind_of(template) == "container":
                yield f"{name}/{template['name']}", _line(template, {})
    for job in of_kind(pods_of_workflows(objects), "Job"):
        for container in job["spec"]["template"]["spec"]["containers"]:
            yield job["metadata"]["name"], arguments_of(container)


def _line(template: Any, task: Any) -> list[str]:
    given = {one["name"]: one["value"] for one in task.get("arguments", {}).get("parameters", [])}
    inputs = {f"inputs.parameters.{name}": value for name, value in given.items()}
    words = arguments_of(template["container"])
    return list(filled(words, {**dict.fromkeys(tags_in(words), "x"), **inputs}))
