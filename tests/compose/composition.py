"""The Compose files as Docker would put them together, read without Docker: include, extends, merging, variables."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
COMPOSE: Final = ROOT / "compose"
FILES: Final = (ROOT / "compose.yaml", *sorted(COMPOSE.glob("*.yaml")))

Service = dict[str, Any]
_REPLACED: Final = ("command", "test")


@dataclass
class Project:
    """All services, as the files say them (`${…}` and all), and the volumes that are declared."""

    services: dict[str, Service]
    volumes: set[str]

    def with_defaults(self) -> "Project":
        """As it is started when nothing is set."""
        return Project(interpolated(self.services, {}), self.volumes)

    def copy(self) -> "Project":
        """To break something in."""
        return copy.deepcopy(self)


def read(file: Path = COMPOSE / "compose.yaml") -> Project:
    """The project that a file describes."""
    content = _load(file)
    project = Project({}, set(content.get("volumes") or {}))
    for entry in content.get("include", []):
        paths = [entry] if isinstance(entry, str) else entry["path"]
        for path in [paths] if isinstance(paths, str) else paths:
            included = read(file.parent / path)
            project.services = merged(project.services, included.services)
            project.volumes |= included.volumes
    own = {name: _extended(name, file) for name in content.get("services") or {}}
    return Project(merged(project.services, own), project.volumes)


def _load(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text()) or {}


def _extended(name: str, file: Path) -> Service:
    service = dict(_load(file)["services"][name])
    if (base := service.pop("extends", None)) is None:
        return service
    return merged(_extended(base["service"], file.parent / base.get("file", file.name)), service)


def merged(below: Any, above: Any, key: str = "") -> Any:
    """Compose's rules: mappings by name, mounts by where they are, other lists one after the other, and what is run is
    replaced."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {name: merged(below.get(name), above.get(name, below.get(name)), name) for name in {**below, **above}}
    if isinstance(below, list) and isinstance(above, list) and below is not above and key not in _REPLACED:
        return list({_place(one, key): one for one in (*below, *above)}.values())
    return above


def _place(one: Any, key: str) -> str:
    if key == "volumes":
        return one["target"] if isinstance(one, dict) else one.split(":")[1]
    return one.split(":")[0] if key == "tmpfs" else str(one)


def interpolated(content: Any, variables: Mapping[str, str]) -> Any:
    """With every `${NAME}`, `${NAME-default}` and `${NAME:-default}` put in, however deep they lie in each other."""
    if isinstance(content, dict):
        return {name: interpolated(value, variables) for name, value in content.items()}
    if isinstance(content, list):
        return [interpolated(one, variables) for one in content]
    return _text(content, variables) if isinstance(content, str) else content


def variables_in(content: Any) -> set[tuple[str, str]]:
    """The variables that a file asks its reader for, each with a default that it is given."""
    if isinstance(content, dict | list):
        return {
            found for one in (content.values() if isinstance(content, dict) else content) for found in variables_in(one)
        }
    if not isinstance(content, str):
        return set()
    here = _expressions(content)
    return {(name, default) for name, _, default in here}.union(*(variables_in(default) for _, _, default in here))


def _text(text: str, variables: Mapping[str, str]) -> str:
    for name, sign, default in _expressions(text):
        value = variables.get(name)
        unset = value is None or (sign == ":-" and not value)
        text = text.replace(f"${{{name}{sign}{default}}}", _text(default, variables) if unset else value, 1)
    return text.replace("$$", "$")


def _expressions(text: str) -> list[tuple[str, str, str]]:
    """The outermost `${…}` of a text: name, sign, default."""
    found, rest = [], text.replace("$$", "  ")
    while (start := rest.find("${")) >= 0:
        depth, end = 1, start + 2
        while depth:
            depth += (rest[end] == "{") - (rest[end] == "}")
            end += 1
        found.append(_taken_apart(rest[start + 2 : end - 1]))
        rest = rest[end:]
    return found


def _taken_apart(inside: str) -> tuple[str, str, str]:
    name, colon, default = inside.partition(":-")
    if colon and name.isidentifier():
        return name, ":-", default
    name, dash, default = inside.partition("-")
    return name, dash, default
