"""`python -m provisioning compose|settings|rules`: what a stack is given before its parts start."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from provisioning import prometheus_rule
from provisioning.compose import Wanted, provision
from provisioning.errors import CannotProvision
from provisioning.monitoring import rules_of
from provisioning.profile import DEFAULT, load_profile


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked. Whatever is in the way is told in one line, never in a traceback."""
    asked = _parser().parse_args(arguments)
    try:
        print(_do(asked))
    except CannotProvision as exc:
        print(exc, file=sys.stderr)
        return 1
    except OSError as exc:
        print(f"{exc.strerror or type(exc).__name__}: {exc.filename or exc}", file=sys.stderr)
        return 1
    return 0


def _do(asked: argparse.Namespace) -> str:
    if asked.command == "compose":
        return provision(Wanted.from_environment(os.environ, asked.owner))
    profile = load_profile(asked.profile, asked.monitoring / "profiles")
    if asked.command == "settings":
        lines = {"NEXUS_PROFILE": profile.name, **profile.settings}
        return "\n".join(f"{name}={value}" for name, value in lines.items())
    labels = dict(_label(text) for text in asked.label)
    rules = rules_of(asked.monitoring, profile)
    return prometheus_rule.manifest(rules, name=asked.name, namespace=asked.namespace, labels=labels).rstrip()


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise CannotProvision(f"--label {text}: NAME=VALUE is expected")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="provisioning", description="What a stack is given before its parts start.")
    commands = parser.add_subparsers(dest="command", required=True)

    compose = commands.add_parser("compose", help="secrets, monitoring and owners of volumes, in a one-shot container")
    compose.add_argument(
        "--owner", action="append", default=[], metavar="FOLDER=USER", help="give a volume to a part, or to a user's id"
    )
    settings = commands.add_parser("settings", help="a profile's settings of the services, for an --env-file")
    settings.add_argument("profile")
    rules = commands.add_parser("rules", help="the alert rules as one PrometheusRule of Kubernetes")
    rules.add_argument("--profile", default=DEFAULT)
    rules.add_argument("--name", default="nexus")
    rules.add_argument("--namespace")
    rules.add_argument("--label", action="append", default=[], metavar="NAME=VALUE")
    for command in (settings, rules):
        default = Path(os.environ.get("NEXUS_MONITORING") or "monitoring")
        command.add_argument("--monitoring", type=Path, default=default, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
