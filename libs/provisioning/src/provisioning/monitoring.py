"""What Prometheus and Alertmanager read: made from the folder `monitoring` as a profile has it."""

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

from provisioning import whole_files
from provisioning.alert_rules import with_profile
from provisioning.profile import Profile

_CONFIGURATIONS: Final = ("prometheus.yml", "alertmanager.yml")


def rules_of(monitoring: Path, profile: Profile) -> dict[str, str]:
    """The rule files by name, in the order of their names."""
    files = sorted((monitoring / "rules").glob("*.yml"))
    return with_profile({file.name: file.read_text() for file in files}, profile)


def render(
    monitoring: Path,
    rendered: Path,
    profile: Profile,
    *,
    addresses: Mapping[str, str],
    rules: str,
    webhook_token_file: Path,
) -> None:
    """Write `prometheus.yml`, `alertmanager.yml` and the folder `rules`. Addresses are host:port by the part's name;
    `rules` and `webhook_token_file` are where Prometheus and Alertmanager will find them."""
    known = {name.replace("-", "_"): address for name, address in addresses.items()}
    known |= {**profile.alertmanager, "rules": rules, "webhook_token_file": str(webhook_token_file)}
    _write_rules(rules_of(monitoring, profile), rendered / "rules")
    for name in _CONFIGURATIONS:
        template = (monitoring / f"{name}.tmpl").read_text()
        # A name that the template has and we do not is a mistake, and ends here.
        _write(rendered / name, Template(template).substitute(known))


def _write_rules(rules: Mapping[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for gone in {file.name for file in folder.glob("*.yml")} - rules.keys():
        (folder / gone).unlink()
    for name, text in rules.items():
        _write(folder / name, text)


def _write(file: Path, text: str) -> None:
    """A file that says so already is left alone."""
    if not file.exists() or file.read_text() != text:
        whole_files.write(file, text, mode=whole_files.PUBLIC)
