"""Containers as processes of this machine: the same command and arguments, the same variables, and folders where the
volumes are mounted."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.manifests.argo_expressions import Unsupported
from tests.manifests.argo_runner import Ended, Pod

TIMED_OUT = 143
"""A pod that is past its deadline is ended with SIGTERM."""
MACHINE = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class Processes:
    """Satisfies `Execute`. `settings` is what ConfigMaps and Secrets say, under the names of variables; `claims` are
    folders by the claim they stand for; `workplace` is where the commands are started."""

    settings: Mapping[str, str]
    claims: Mapping[str, Path]
    workplace: Path

    def __call__(self, pod: Pod) -> Ended:
        places = {path: self._place(path, volume, pod) for path, volume in pod.volumes.items()}

        longest_first = "|".join(re.escape(path) for path in sorted(places, key=len, reverse=True))

        def here(text: str) -> str:
            """A path in the container is one of this machine's."""
            if not places:
                return text
            return re.sub(rf"(?<![\w.-])({longest_first})(?=/|$)", lambda found: str(places[found[1]]), text)

        command = [here(word) for word in [*pod.container["command"], *pod.container.get("args", [])]]
        variables = {one["name"]: here(_value(one)) for one in pod.container.get("env", [])}
        if command[0] != "python":
            raise Unsupported(f"the program {command[0]}")
        with (pod.folder / "log").open("wb") as log:
            try:
                done = subprocess.run(
                    [sys.executable, *command[1:]],
                    cwd=self.workplace,
                    env={**self.settings, **variables},
                    stdout=log,
                    stderr=log,
                    timeout=pod.deadline,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return Ended(TIMED_OUT, lambda path: Path(here(path)))
        return Ended(done.returncode, lambda path: Path(here(path)))

    def _place(self, path: str, volume: Mapping[str, object], pod: Pod) -> Path:
        match volume:
            case {"persistentVolumeClaim": {"claimName": str(claim)}}:
                return self.claims[claim]
            case {"emptyDir": _} | {"projected": _}:  # what secrets hold is among the settings
                folder = pod.folder / path.lstrip("/")
                folder.mkdir(parents=True, exist_ok=True)
                return folder
        raise Unsupported(f"the volume {volume['name']}")


def _value(variable: Mapping[str, object]) -> str:
    match variable:
        case {"value": str(value)}:
            return value
        case {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}:
            return "127.0.0.1"
    raise Unsupported(f"the variable {variable['name']}")
