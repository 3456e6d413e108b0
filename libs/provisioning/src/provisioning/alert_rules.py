"""The alert rules as a profile wants them. Pure: texts in, texts out; what a profile leaves alone stays as it is."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from provisioning.errors import CannotProvision
from provisioning.profile import AlertChange, Profile


def with_profile(files: Mapping[str, str], profile: Profile) -> dict[str, str]:
    """The rule files by name, changed where the profile changes an alert; the others to the letter."""
    if not profile.alerts:
        return dict(files)
    rules = {name: yaml.safe_load(text) for name, text in files.items()}
    changed = {_change(rules, change, profile.name) for change in profile.alerts}
    return {name: _as_yaml(rules[name], profile.name) if name in changed else files[name] for name in files}


def _change(files: Mapping[str, Any], change: AlertChange, profile: str) -> str:
    """Replace what the change says in the one rule that it means; the name of its file."""
    meant = [(name, rule) for name, rule in _alerts(files) if _means(change, rule)]
    if not meant:
        raise CannotProvision(f"Profile {profile} changes the alert {change}, which is not in monitoring/rules")
    if len(meant) > 1:
        raise CannotProvision(f"Profile {profile} changes {change}, and there are {len(meant)} such alerts: add labels")
    [(name, rule)] = meant
    rule.update(change.replaced)
    return name


def _alerts(files: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    for name, content in files.items():
        for group in content["groups"]:
            yield from ((name, rule) for rule in group["rules"] if "alert" in rule)


def _means(change: AlertChange, rule: Mapping[str, Any]) -> bool:
    labels: dict[str, str] = rule.get("labels", {})
    return rule["alert"] == change.alert and change.labels.items() <= labels.items()


def _as_yaml(content: Mapping[str, Any], profile: str) -> str:
    note = f"# Made from monitoring/rules by monitoring/profiles/{profile}.yml: change those.\n"
    return note + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
