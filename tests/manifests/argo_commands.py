"""Do the sub-commands and options exist that steps are started with? The command lines themselves are asked."""

import importlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import typer.main

from tests.manifests.argo_objects import WORKFLOWS, arguments_of, of_kind, pods_of_workflows
from tests.manifests.argo_templates import filled, kind_of, specs_of, tags_in, tasks_of, templates_of


def command_flaws(objects: list[Any]) -> list[str]:
    """What steps ask of our programs and these do not know."""
    return [f"{owner}: {flaw}" for owner, words in command_lines(objects) for flaw in _flaws_of(words)]


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


def _flaws_of(words: Sequence[str]) -> Iterator[str]:
    if list(words[:2]) != ["python", "-m"]:
        yield f"nobody knows the program {words[0]}"
        return
    module, command, *options = words[2:]
    known = _commands(module)
    if command not in known:
        yield f"{module} has no sub-command {command}"
        return
    parameters = {name: one for one in known[command].params for name in one.opts}
    given = [option.partition("=")[0] for option in options]
    yield from (f"{module} {command} has no option {option}" for option in given if option not in parameters)
    for one in known[command].params:
        if one.required and not set(one.opts) & set(given):
            yield f"{module} {command} wants {one.opts[0]}"


@cache
def _commands(module: str) -> dict[str, Any]:
    group: Any = typer.main.get_command(importlib.import_module(f"{module}.__main__").cli)
    return dict(group.commands)
