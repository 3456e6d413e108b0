"""How fast the platform notices and acts: a file of `monitoring/profiles`, chosen by NEXUS_PROFILE."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from provisioning.errors import CannotProvision

DEFAULT: Final = "production"
TIMINGS: Final = ("retrain_group_wait", "retrain_group_interval", "retrain_repeat_interval")
"""The variables of alertmanager.yml.tmpl that every profile fills in."""
REPLACEABLE: Final = ("expr", "for")
_SECTIONS: Final = ("alerts", "alertmanager", "settings")


@dataclass(frozen=True)
class AlertChange:
    """What a profile replaces in one alert. The labels tell apart alerts of the same name."""

    alert: str
    labels: Mapping[str, str]
    replaced: Mapping[str, str]

    def __str__(self) -> str:
        told_apart = ", ".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f"{self.alert}{{{told_apart}}}" if told_apart else self.alert


@dataclass(frozen=True)
class Profile:
    """A profile as its file says it."""

    name: str
    alerts: tuple[AlertChange, ...]
    alertmanager: Mapping[str, str]
    settings: Mapping[str, str]
    """NEXUS_… variables for the services, unless the caller sets them."""


def load_profile(name: str, folder: Path) -> Profile:
    """The profile of that name; CannotProvision when there is none, or when its file cannot be understood."""
    files = {file.stem: file for file in folder.glob("*.yml")}
    if not files:
        raise CannotProvision(f"There are no profiles in {folder}: is monitoring/ there?")
    if name not in files:
        raise CannotProvision(f"There is no profile NEXUS_PROFILE={name}; there are: {', '.join(sorted(files))}")
    try:
        content = yaml.safe_load(files[name].read_text())
    except yaml.YAMLError as exc:
        raise CannotProvision(f"Profile {name} is not YAML: {' '.join(str(exc).split())}") from exc
    return profile_of(name, content)


def profile_of(name: str, content: object) -> Profile:
    """A profile out of what its file holds. A word that is misspelt would change nothing, so every word is checked."""
    where = f"Profile {name}"
    sections = _mapping(content, where, known=_SECTIONS)
    timings = _texts(sections.get("alertmanager"), f"{where}, alertmanager")
    if set(timings) != set(TIMINGS):
        raise CannotProvision(f"{where}, alertmanager: it has to say {', '.join(TIMINGS)}, and nothing else")
    settings = _texts(sections.get("settings"), f"{where}, settings")
    if strange := [variable for variable in settings if not variable.startswith("NEXUS_")]:
        raise CannotProvision(f"{where}, settings: {strange[0]} is no variable of ours; they begin with NEXUS_")
    changes = sections.get("alerts") or []
    if not isinstance(changes, list):
        raise CannotProvision(f"{where}, alerts: it has to be a list")
    return Profile(name, tuple(_change(one, f"{where}, alerts") for one in changes), timings, settings)


def _change(content: object, where: str) -> AlertChange:
    said = _mapping(content, where, known=("alert", "labels", *REPLACEABLE))
    replaced = _texts({field: said[field] for field in REPLACEABLE if field in said}, where)
    if not isinstance(said.get("alert"), str) or not replaced:
        raise CannotProvision(f"{where}: each names an alert, and its new {' or '.join(REPLACEABLE)}: {said}")
    return AlertChange(said["alert"], _texts(said.get("labels"), where), replaced)


def _texts(content: object, where: str) -> dict[str, str]:
    said = _mapping(content, where)
    for name, value in said.items():
        if not isinstance(value, str):
            raise CannotProvision(f"{where}: {name} has to be a text; put {value!r} in quotes")
    return said


def _mapping(content: object, where: str, *, known: tuple[str, ...] | None = None) -> dict[str, Any]:
    said = {} if content is None else content
    if not isinstance(said, dict):
        raise CannotProvision(f"{where}: names with values are expected, not {said!r}")
    if known is not None and (unknown := [name for name in said if name not in known]):
        raise CannotProvision(f"{where}: {unknown[0]} is unknown; known are {', '.join(known)}")
    return said
