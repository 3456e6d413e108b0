"""Is there a program behind each command, and does it know its sub-commands and options? Each problem is one line."""

import ast
import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typer.main

from tests.manifests.pods import pods
from tests.manifests.rendering import Objects

OF_IMAGES = {"sleep", "etcd", "python3"}
"""Programs of images that are not ours, or of any."""


def unknown_commands(objects: Objects) -> list[str]:
    """What a pod runs and nobody has written."""
    return [
        f"{pod.owner}: {problem}"
        for pod in pods(objects)
        for container in pod.containers
        if "command" in container
        for problem in problems_of([*container["command"], *container.get("args", [])])
    ]


def problems_of(line: Sequence[str]) -> Iterator[str]:
    """Of one command line."""
    match list(line):
        case ["uvicorn", "--factory", application, *_]:
            yield from _not_defined(application)
        case ["celery", "-A", application, "worker", *_]:
            yield from _not_defined(application)
        case ["python", "-m", module, *arguments]:
            yield from _not_a_module(module, arguments)
        case [program, *_] if program in OF_IMAGES:
            pass
        case other:
            yield f"nobody knows what {' '.join(other)} is"


def _not_defined(application: str) -> Iterator[str]:
    """`gateway.app:create_app`; the module is read and not imported."""
    module, _, name = application.partition(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        yield f"there is no module {module}"
        return
    tree = ast.parse(Path(spec.origin).read_text())
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} | {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if name not in defined:
        yield f"{module} defines no {name}"


def _not_a_module(module: str, arguments: Sequence[str]) -> Iterator[str]:
    try:
        found = importlib.util.find_spec(f"{module}.__main__")
    except ModuleNotFoundError:
        found = None
    if found is None:
        yield f"python -m {module} is no command"
    elif (commands := _typer_commands(module)) is not None:
        yield from _not_a_sub_command(module, commands, arguments)


def _not_a_sub_command(module: str, commands: Any, arguments: Sequence[str]) -> Iterator[str]:
    if hasattr(commands, "commands"):
        name, *arguments = arguments or [""]
        if name not in commands.commands:
            yield f"python -m {module} has no sub-command {name}"
            return
        commands = commands.commands[name]
    known = {option for parameter in commands.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for argument in arguments:
        if argument.startswith("--") and argument.partition("=")[0] not in known:
            yield f"python -m {module} {commands.name} has no option {argument}"
    given = {argument.partition("=")[0] for argument in arguments}
    for parameter in commands.params:
        if parameter.required and parameter.param_type_name == "option" and not given & set(parameter.opts):
            yield f"python -m {module} {commands.name} needs {parameter.opts[0]}"


@cache
def _typer_commands(module: str) -> Any:
    """None of a module whose command line is made otherwise."""
    cli = getattr(importlib.import_module(f"{module}.__main__"), "cli", None)
    return typer.main.get_command(cli) if isinstance(cli, typer.Typer) else None
