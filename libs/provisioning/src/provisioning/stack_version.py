"""Which version keeps its data in these volumes: a newer one's are refused, before anything is changed."""

import re
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Final

from provisioning import whole_files
from provisioning.errors import CannotProvision

_RECORD: Final = "version"
_FORM: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)([-+.].*)?")


def own() -> str:
    """The version of this code, whatever its image is called."""
    return version_of("provisioning")


def check(secrets: Path, version: str) -> str | None:
    """The version that was here before, None in a new volume; CannotProvision when it is newer than this one."""
    ours = _numbers(version, f"NEXUS_VERSION={version}")
    record = secrets / _RECORD
    if not record.exists():
        return None
    before = record.read_text().strip()
    if _numbers(before, f"What {record} says ({before})") > ours:
        raise CannotProvision(
            f"The volumes were written by Nexus {before}, and this is {version}, which may not understand them: "
            f"start {before} again (NEXUS_VERSION={before}), or restore a backup that {version} made"
        )
    return before


def record(secrets: Path, version: str) -> None:
    """From now on they are this version's."""
    whole_files.write(secrets / _RECORD, f"{version}\n", mode=whole_files.PUBLIC)


def check_postgres(data: Path, image: str) -> None:
    """PostgreSQL reads no data folder of another major version. Nothing to check where its volume is empty, not
    mounted here, or its image says no version."""
    name = image.rpartition("/")[2].partition("@")[0]
    wanted = re.search(r"(?:^|:)(\d+)", name)
    made_by = _postgres_major(data)
    if wanted and made_by and made_by != wanted[1]:
        raise CannotProvision(
            f"The databases were made by PostgreSQL {made_by}, and {image} is {wanted[1]}, which cannot read them: "
            f"back up with PostgreSQL {made_by}, remove the volume, and restore with {wanted[1]}"
        )


def _postgres_major(data: Path) -> str | None:
    # Images of PostgreSQL 18 and later have a folder a version in the volume.
    found = [data / "PG_VERSION", *sorted(data.glob("*/docker/PG_VERSION"), reverse=True)]
    return next((file.read_text().strip() for file in found if file.exists()), None)


def _numbers(version: str, what: str) -> tuple[int, ...]:
    found = _FORM.fullmatch(version)
    if found is None:
        raise CannotProvision(f"{what} is no version such as 0.1.0")
    return tuple(int(number) for number in found.groups()[:3])
