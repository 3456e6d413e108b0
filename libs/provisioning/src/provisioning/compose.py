"""`python -m provisioning compose`: runs once, before everything else in the project starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioning import monitoring, ownership, secrets_volume, stack_version
from provisioning.addresses import by_service_name
from provisioning.errors import CannotProvision
from provisioning.profile import DEFAULT, load_profile
from provisioning.settling import settle

_ALERTMANAGERS_TOKEN: Final = Path("/run/secrets/nexus/alertmanager/nexus_webhook_token")
"""Where its container has the volume of secrets."""
_YES_OR_NO: Final = {"yes": True, "no": False}


@dataclass(frozen=True)
class Wanted:
    """Where everything is in this container, and what was asked for."""

    provided: Path
    secrets: Path
    rendered: Path
    monitoring: Path
    postgres: Path
    profile: str
    may_make: bool
    version: str
    postgres_image: str
    owners: Mapping[Path, int]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], owners: Sequence[str] = ()) -> "Wanted":
        """A variable that is set to nothing is not set, as Compose passes on what the user left out."""

        def said(name: str, otherwise: str) -> str:
            return environment.get(name) or otherwise

        generate = said("NEXUS_GENERATE_SECRETS", "yes")
        if generate not in _YES_OR_NO:
            raise CannotProvision(f"NEXUS_GENERATE_SECRETS={generate} is neither yes nor no")
        return cls(
            provided=Path(said("NEXUS_PROVIDED", "/provided")),
            secrets=Path(said("NEXUS_SECRETS", "/secrets")),
            rendered=Path(said("NEXUS_RENDERED", "/rendered")),
            monitoring=Path(said("NEXUS_MONITORING", "/monitoring")),
            postgres=Path(said("NEXUS_POSTGRES_DATA", "/volumes/postgres")),
            profile=said("NEXUS_PROFILE", DEFAULT),
            may_make=_YES_OR_NO[generate],
            version=said("NEXUS_VERSION", stack_version.own()),
            postgres_image=said("NEXUS_POSTGRES_IMAGE", ""),
            owners=dict(ownership.owner_of(owner) for owner in owners),
        )


def provision(wanted: Wanted) -> str:
    """Do it, and say so in a line. Everything that can be refused is looked at before anything is written."""
    before = stack_version.check(wanted.secrets, wanted.version)
    stack_version.check_postgres(wanted.postgres, wanted.postgres_image)
    profile = load_profile(wanted.profile, wanted.monitoring / "profiles")
    provided = secrets_volume.provided_in(wanted.provided)
    settled = settle(provided, secrets_volume.kept_in(wanted.secrets), may_make=wanted.may_make)
    monitoring.render(
        wanted.monitoring,
        wanted.rendered,
        profile,
        addresses=by_service_name(),
        rules="rules",  # beside prometheus.yml, wherever that is mounted
        webhook_token_file=_ALERTMANAGERS_TOKEN,
    )
    secrets_volume.hand_over(wanted.secrets, settled)
    for folder, owner in wanted.owners.items():
        ownership.give(folder, owner)
    if before != wanted.version:
        stack_version.record(wanted.secrets, wanted.version)
    upgraded = f" (before: {before})" if before not in (None, wanted.version) else ""
    return f"secrets: {settled}; monitoring: profile {profile.name} rendered; version {wanted.version}{upgraded}"
