"""Which stack this is: its folders and its ports. The only reader of the environment in the launcher."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.addresses import PORTS
from provisioning.errors import CannotProvision
from provisioning.profile import DEFAULT, Profile, load_profile

from embedded.errors import CannotStart

CHECKOUT = Path(__file__).resolve().parents[3]
HOST = "127.0.0.1"
_HIGHEST_PORT = 65535
_PROFILES = CHECKOUT / "monitoring" / "profiles"


@dataclass(frozen=True)
class Stack:
    """One stack: where it keeps its state, which ports it takes, how fast it acts, and the environment it was asked
    for in."""

    state: Path
    cache: Path
    ports: Mapping[str, int]
    inherited: Mapping[str, str]
    checkout: Path = CHECKOUT
    profile: Profile = field(default_factory=lambda: _profile(DEFAULT))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Stack":
        """NEXUS_STATE_DIR, NEXUS_CACHE_DIR, NEXUS_PORT_OFFSET and NEXUS_PROFILE; everything else is passed on to the
        services."""
        home = CHECKOUT / ".nexus"
        return cls(
            state=Path(environment.get("NEXUS_STATE_DIR") or home).resolve(),
            cache=Path(environment.get("NEXUS_CACHE_DIR") or home / "cache").resolve(),
            ports=ports_with_offset(environment.get("NEXUS_PORT_OFFSET") or "0"),
            inherited=dict(environment),
            profile=_profile(environment.get("NEXUS_PROFILE") or DEFAULT),
        )

    def address(self, name: str) -> str:
        """host:port of a part."""
        return f"{HOST}:{self.ports[name]}"

    def url(self, name: str) -> str:
        """Base URL of a part."""
        return f"http://{self.address(name)}"

    @property
    def env_file(self) -> Path:
        """Addresses and the admin key, for people and scripts."""
        return self.state / "env"

    @property
    def secrets(self) -> Path:
        """What the parts prove themselves with."""
        return self.state / "secrets"

    @property
    def documents(self) -> Path:
        """The object store: <tenant>/<knowledge base>/<key>."""
        return self.state / "documents"

    @property
    def databases(self) -> Path:
        """One SQLite file a service."""
        return self.state / "state"

    @property
    def logs(self) -> Path:
        """One log a part, and the supervisor's own."""
        return self.state / "logs"

    @property
    def run(self) -> Path:
        """What is running now."""
        return self.state / "run"

    @property
    def record_file(self) -> Path:
        """The supervisor's account of its parts."""
        return self.run / "state.json"

    def log_file(self, part: str) -> Path:
        """Where a part's output goes."""
        return self.logs / f"{part}.log"


def ports_with_offset(offset: str) -> dict[str, int]:
    """Every port, moved by the offset, so that two stacks can stand side by side."""
    try:
        moved = int(offset)
    except ValueError:
        raise CannotStart(f"NEXUS_PORT_OFFSET={offset} is not a whole number; try NEXUS_PORT_OFFSET=1000") from None
    highest = _HIGHEST_PORT - max(PORTS.values())
    if not 0 <= moved <= highest:
        raise CannotStart(f"NEXUS_PORT_OFFSET={offset} leaves the range of ports; use 0 to {highest}")
    return {name: port + moved for name, port in PORTS.items()}


def _profile(name: str) -> Profile:
    try:
        return load_profile(name, _PROFILES)
    except CannotProvision as exc:
        raise CannotStart(str(exc)) from exc
