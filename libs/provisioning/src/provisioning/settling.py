"""What each secret's value is, out of what was provided and what was made before. Pure, but for chance."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from provisioning.errors import CannotProvision
from provisioning.secret_making import weakness
from provisioning.secret_table import SECRETS, Derived, Made, Secret


@dataclass(frozen=True)
class Settled:
    """Every secret's value, and which were made just now and have to be kept."""

    values: Mapping[str, str]
    made: Mapping[str, str]
    provided: int
    kept: int

    def __str__(self) -> str:
        provided = f"{self.provided} provided, " if self.provided else ""
        return f"{provided}{self.kept} kept, {len(self.made)} made"


def settle(provided: Mapping[str, str], kept: Mapping[str, str], *, may_make: bool) -> Settled:
    """What is provided wins, then what was kept; the rest is made, where that is allowed, or derived."""
    check(provided)
    made = _made(provided.keys() | kept.keys(), may_make=may_make)
    values: dict[str, str] = {}
    for secret in SECRETS:
        if secret.name in provided:
            values[secret.name] = provided[secret.name]
        elif isinstance(secret.origin, Made):
            values[secret.name] = kept[secret.name] if secret.name in kept else made[secret.name]
        elif isinstance(secret.origin, Derived):
            values[secret.name] = secret.origin.derive(values)
    return Settled(values, made, len(provided), sum(name in kept for name in values.keys() - provided.keys()))


def check(provided: Mapping[str, str]) -> None:
    """Refuse what a user provides under a name that nobody reads, and what is weak or cannot be used."""
    rows = {secret.name: secret for secret in SECRETS}
    for name, value in provided.items():
        if name not in rows:
            meant = get_close_matches(name, rows, n=1)
            hint = f"; did you mean {meant[0]}?" if meant else ": see libs/provisioning/README.md for those there are"
            raise CannotProvision(f"Nobody reads the provided secret {name}{hint}")
        if why := _trouble(rows[name], value):
            raise CannotProvision(f"The provided secret {name} {why}")


def _trouble(secret: Secret, value: str) -> str | None:
    if not value:
        return "is empty: write it into its file, or remove the file"
    if isinstance(secret.origin, Made):
        return weakness(value, secret.origin.at_least)
    if "\n" in value and not secret.name.endswith(".env"):
        return "must be one line"
    return None


def _made(there: set[str], *, may_make: bool) -> dict[str, str]:
    missing = [secret for secret in SECRETS if isinstance(secret.origin, Made) and secret.name not in there]
    if missing and not may_make:
        names = ", ".join(secret.name for secret in missing)
        raise CannotProvision(
            f"Secrets are missing, and NEXUS_GENERATE_SECRETS=no forbids to make them: {names}. "
            "Put each into a file of its name in the folder of provided secrets"
        )
    return {secret.name: secret.origin.make() for secret in missing if isinstance(secret.origin, Made)}
