"""What is wanted of every service of the Compose files. A rule gives the complaints of one service; none is good."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from provisioning.secret_table import READERS

from tests.compose.composition import COMPOSE, ROOT, Project, Service

ONE_SHOTS: Final = {"provisioning", "buckets"}
OPENED_BY_ROOT: Final = {"provisioning"}
"""Of our images: it hands files and volumes over to the users of the others."""
SAME_USER: Final = {
    "ingest-worker": "ingest",
    "buckets": "ingest",
    "trainer-worker": "trainer",
    "triton": "trainer",
    "demo-documents": "ui",
}
NAMES_OF_SECRETS: Final = re.compile(r"PASSWORD|SECRET(?!S)|TOKEN|ACCESS_KEY|API_KEY|CREDENTIAL")
PLACES: Final = re.compile(r"(_FILE|_PATH|_DIR)$")

Complaints = Iterator[str]
Rule = Callable[[str, Service, Project], Complaints]


def is_ours(service: Service) -> bool:
    """One of the images that are built here, or one that runs what lies here."""
    return "nexus/" in service["image"] or service["image"].startswith("${NEXUS_VLLM_IMAGE")


def image_is_pinned_and_can_be_replaced(name: str, service: Service, project: Project) -> Complaints:
    """`latest` is another program tomorrow; a mirror has another name."""
    image = service["image"]
    if "nexus/" in image:
        if not re.fullmatch(r"\$\{NEXUS_REGISTRY:-\}nexus/[a-z-]+:\$\{NEXUS_VERSION:-\d+\.\d+\.\d+\}", image):
            yield f"{image} does not take registry and version from the settings"
        return
    setting = re.fullmatch(r"\$\{NEXUS_[A-Z0-9]+_IMAGE:-(\S+)\}", image)
    if setting is None:
        yield f"{image} is no setting"
    elif not re.search(r":[^:/]*\d[^:/]*$|@sha256:", setting[1]) or setting[1].endswith(":latest"):
        yield f"{setting[1]} has no version"


def is_a_user_of_its_own(name: str, service: Service, project: Project) -> Complaints:
    """The one that its secrets belong to, and none of ours is root."""
    reader = SAME_USER.get(name, name)
    if name in OPENED_BY_ROOT or not (is_ours(service) or reader in READERS):
        return
    uid = READERS.get(reader)
    if service.get("user", "0:0") != f"{uid}:{uid}":
        yield f"its user is {service.get('user')}, and the secrets' is {uid}"
    if is_ours(service) and not uid:
        yield "it is root"


def root_is_read_only(name: str, service: Service, project: Project) -> Complaints:
    if is_ours(service) and service.get("read_only") is not True:
        yield "its root can be written to"


def may_do_nothing_special(name: str, service: Service, project: Project) -> Complaints:
    if is_ours(service) and service.get("cap_drop") != ["ALL"]:
        yield "it keeps capabilities"
    if service.get("cap_add") and name not in OPENED_BY_ROOT:
        yield "it is given capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "it may gain privileges"
    if service.get("privileged") or "host" in {service.get(one) for one in ("network_mode", "pid", "ipc")}:
        yield "it has the machine's"


def memory_is_limited(name: str, service: Service, project: Project) -> Complaints:
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    if not re.search(r"\d[kmg]\}?$", str(limits.get("memory", ""))):
        yield "its memory has no limit"


def logs_are_rotated(name: str, service: Service, project: Project) -> Complaints:
    if not {"max-size", "max-file"} <= service.get("logging", {}).get("options", {}).keys():
        yield "its log grows for ever"


def comes_back_unless_it_is_done(name: str, service: Service, project: Project) -> Complaints:
    wanted = "no" if name in ONE_SHOTS else "unless-stopped"
    if service.get("restart") != wanted:
        yield f"restart is {service.get('restart')}, not {wanted}"


def health_is_checked(name: str, service: Service, project: Project) -> Complaints:
    """In the file, or in the image of ours."""
    check = service.get("healthcheck", {})
    if name in ONE_SHOTS:
        return
    if check.get("disable") or not (check.get("test") or _image_has_a_check(service)):
        yield "nobody knows whether it is well"
    if check and not check.keys() >= {"interval", "timeout", "start_period"}:
        yield "its health check says neither how often nor how long"


def _image_has_a_check(service: Service) -> bool:
    file = service.get("build", {}).get("dockerfile")
    return bool(file) and re.search(r"^HEALTHCHECK ", (ROOT / file).read_text(), re.M) is not None


def ports_are_this_machines_own(name: str, service: Service, project: Project) -> Complaints:
    """And each is a setting, so that two stacks can stand side by side."""
    for port in service.get("ports", []):
        if not re.fullmatch(r"\$\{NEXUS_BIND:-127\.0\.0\.1\}:\$\{NEXUS_[A-Z0-9_]+_PORT:-\d+\}:\d+", str(port)):
            yield f"port {port} is open to all, or no setting"


def waits_for_what_it_needs(name: str, service: Service, project: Project) -> Complaints:
    needed = service.get("depends_on", {})
    if isinstance(needed, list):
        yield "it does not say what it waits for"
        return
    for other, how in needed.items():
        wanted = "service_completed_successfully" if other in ONE_SHOTS else "service_healthy"
        if other not in project.services:
            yield f"there is no {other}"
        elif how.get("condition") != wanted:
            yield f"of {other} it awaits {how.get('condition')}, not {wanted}"
        elif not set(project.services[other].get("profiles", [])) <= set(service.get("profiles", [])):
            yield f"{other} may be left out, and then it cannot start"


def secrets_are_there_before_it(name: str, service: Service, project: Project) -> Complaints:
    """Who reads the volume that provisioning writes starts after it, directly or after somebody who does."""
    mounts = [mount for mount in service.get("volumes", []) if isinstance(mount, dict)]
    reads = any(mount.get("source") in ("secrets", "rendered") and mount.get("read_only") for mount in mounts)
    if reads and "provisioning" not in _all_before(name, project):
        yield "it may start before its secrets are there"


def _all_before(name: str, project: Project) -> set[str]:
    direct = set(project.services.get(name, {}).get("depends_on", {}))
    return direct.union(*(_all_before(one, project) for one in direct))


def data_is_in_named_volumes(name: str, service: Service, project: Project) -> Complaints:
    """What is mounted of the checkout is only read, and exists."""
    for mount in service.get("volumes", []):
        if isinstance(mount, str):
            source, kind, read_only = mount.split(":")[0], "volume", False
        else:
            source, kind, read_only = mount["source"], mount["type"], mount.get("read_only", False)
        if kind == "volume" and source not in project.volumes:
            yield f"{source} is no named volume"
        if kind == "bind" and not read_only:
            yield f"{source} of the checkout can be written to"
        if kind == "bind" and not source.startswith("$") and not (COMPOSE / source).exists():
            yield f"{source} does not exist"
        if "docker.sock" in source:
            yield "it may command the engine"


def no_secret_is_a_variable(name: str, service: Service, project: Project) -> Complaints:
    """`docker inspect` shows variables to everybody who may ask the engine."""
    for variable in service.get("environment", {}):
        if NAMES_OF_SECRETS.search(variable) and not PLACES.search(variable):
            yield f"{variable} in the environment"
    if service.get("env_file"):
        yield "env_file puts a file's secrets into the environment"


def reads_its_own_secrets(name: str, service: Service, project: Project) -> Complaints:
    reader = SAME_USER.get(name, name)
    said = "\n".join(str(value) for value in (*service.get("environment", {}).values(), service.get("command")))
    for folder in set(re.findall(r"/run/secrets/nexus/([\w-]+)", said)) - {reader}:
        yield f"it looks for its secrets in those of {folder}"
    if "/run/secrets/nexus" in said and reader not in READERS:
        yield f"nobody hands secrets to {reader}"


RULES: Final[tuple[Rule, ...]] = (
    image_is_pinned_and_can_be_replaced,
    is_a_user_of_its_own,
    root_is_read_only,
    may_do_nothing_special,
    memory_is_limited,
    logs_are_rotated,
    comes_back_unless_it_is_done,
    health_is_checked,
    ports_are_this_machines_own,
    waits_for_what_it_needs,
    secrets_are_there_before_it,
    data_is_in_named_volumes,
    no_secret_is_a_variable,
    reads_its_own_secrets,
)


def complaints(project: Project, rules: tuple[Rule, ...] = RULES) -> list[str]:
    """All there are."""
    return [
        f"{name}: {complaint}"
        for name, service in project.services.items()
        for rule in rules
        for complaint in rule(name, service, project)
    ]
