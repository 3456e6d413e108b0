"""A Dockerfile's stages and instructions, as far as rules need them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.compose.composition import ROOT

_SERVICES: Final = sorted(ROOT.glob("services/*"))
DOCKERFILES: Final = tuple(
    folder / "Dockerfile" for folder in (*_SERVICES, ROOT / "serving", ROOT / "tracking", ROOT / "libs/provisioning")
)
LABELS: Final = ("title", "description", "version", "revision", "licenses")
COMPILERS: Final = re.compile(
    r"\b(?:gcc|g\+\+|build-essential|cmake|clang|make|rustc|cargo|binutils|[a-z0-9.-]+-dev)\b"
)
ROOT_BY_DESIGN: Final = "Nexus provisioning"


@dataclass(frozen=True)
class Instruction:
    """One, with its continued lines joined."""

    word: str
    text: str


@dataclass(frozen=True)
class Dockerfile:
    """What stands before the first stage, and the stages."""

    arguments: tuple[Instruction, ...]
    stages: tuple[tuple[Instruction, ...], ...]

    @property
    def last(self) -> tuple[Instruction, ...]:
        """What becomes the image."""
        return self.stages[-1]

    def of(self, word: str) -> list[str]:
        """Such instructions of the last stage."""
        return [instruction.text for instruction in self.last if instruction.word == word]


def parsed(text: str) -> Dockerfile:
    """Comments and empty lines left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    instructions = [
        Instruction(word.upper(), rest.strip())
        for word, _, rest in (one.partition(" ") for one in "\n".join(lines).replace("\\\n", " ").splitlines())
    ]
    starts = [place for place, one in enumerate(instructions) if one.word == "FROM"]
    ends = [*starts[1:], len(instructions)]
    stages = tuple(tuple(instructions[start:end]) for start, end in zip(starts, ends, strict=True))
    return Dockerfile(tuple(instructions[: starts[0]]), stages)


def read(file: Path) -> Dockerfile:
    return parsed(file.read_text())


Complaints = Iterator[str]
Rule = Callable[[Dockerfile], Complaints]


def is_built_in_one_stage_and_run_in_another(dockerfile: Dockerfile) -> Complaints:
    if len(dockerfile.stages) < 2 or not any("--from=" in text for text in dockerfile.of("COPY")):
        yield "nothing is copied from a stage that was built before"


def base_images_are_arguments_with_a_version(dockerfile: Dockerfile) -> Complaints:
    """A mirror is named with --build-arg; `latest` is another image tomorrow."""
    stages = {stage[0].text.partition(" AS ")[2] for stage in dockerfile.stages}
    for stage in dockerfile.stages:
        image = stage[0].text.partition(" AS ")[0]
        if image not in stages and not re.fullmatch(r"\$\{[A-Z_]+_IMAGE\}", image):
            yield f"{image} cannot be replaced"
    for argument in dockerfile.arguments:
        if not re.search(r"_IMAGE=\S+:[^:/\s]*\d[^:/\s]*$", argument.text):
            yield f"{argument.text} has no version"


def final_stage_has_no_compiler(dockerfile: Dockerfile) -> Complaints:
    for text in dockerfile.of("RUN"):
        if "apt-get" in text and (found := COMPILERS.findall(text)):
            yield f"{', '.join(found)} in the image"
        if re.search(r"\b(?:uv|pip) (?:pip )?install\b", text):
            yield "packages are installed in the last stage, with their installer"


def final_stage_has_no_cache(dockerfile: Dockerfile) -> Complaints:
    for text in dockerfile.of("RUN"):
        if "apt-get" in text and "rm -rf /var/lib/apt/lists/*" not in text:
            yield "apt's lists stay"


def nothing_is_added_from_afar(dockerfile: Dockerfile) -> Complaints:
    if any(one.word == "ADD" for stage in dockerfile.stages for one in stage):
        yield "ADD fetches and unpacks what nobody looked at: COPY"


def is_run_by_nobody_in_particular(dockerfile: Dockerfile) -> Complaints:
    if ROOT_BY_DESIGN in "".join(dockerfile.of("LABEL")):
        return
    users = dockerfile.of("USER")
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        yield "it is run by root, or by a name, which Kubernetes cannot tell from root"


def has_labels(dockerfile: Dockerfile) -> Complaints:
    said = " ".join(dockerfile.of("LABEL"))
    for label in LABELS:
        if f"org.opencontainers.image.{label}=" not in said:
            yield f"no label {label}"


def has_a_health_check_where_it_listens(dockerfile: Dockerfile) -> Complaints:
    if bool(dockerfile.of("EXPOSE")) != bool(dockerfile.of("HEALTHCHECK")):
        yield "it listens, and nobody looks whether it is well"


def is_started_without_a_shell(dockerfile: Dockerfile) -> Complaints:
    """A shell would get the signal to stop, and keep it."""
    for text in (*dockerfile.of("CMD"), *dockerfile.of("ENTRYPOINT")):
        if not text.startswith("["):
            yield f"{text} is run by a shell"


def what_is_locked_is_what_is_installed(dockerfile: Dockerfile) -> Complaints:
    for stage in dockerfile.stages:
        for one in stage:
            if "uv export" in one.text and "--frozen" not in one.text:
                yield "the lock may be changed while it is read"
            for command in one.text.split("&&"):
                if re.search(r"\bpip install\b.*--requirement", command) and "--no-deps" not in command:
                    yield "more may be installed than the lock says"


def no_secret_is_built_in(dockerfile: Dockerfile) -> Complaints:
    """But for one that only lets modules be imported while the image is built: it says so itself."""
    for stage in dockerfile.stages:
        for one in stage:
            for name, value in re.findall(r"\b([A-Z_]*(?:TOKEN|PASSWORD|SECRET|API_KEY))=(\S+)", one.text):
                if value != "for-compiling-alone":
                    yield f"{name} is in a layer"


RULES: Final[tuple[Rule, ...]] = (
    is_built_in_one_stage_and_run_in_another,
    base_images_are_arguments_with_a_version,
    final_stage_has_no_compiler,
    final_stage_has_no_cache,
    nothing_is_added_from_afar,
    is_run_by_nobody_in_particular,
    has_labels,
    has_a_health_check_where_it_listens,
    is_started_without_a_shell,
    what_is_locked_is_what_is_installed,
    no_secret_is_built_in,
)
