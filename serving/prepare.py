"""Set up everything Triton needs, under the cache. Safe to run again; takes no time when all is there."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nexus_serving.choice import GgufFile, HubFile, choice
from nexus_serving.embedder_model import prepare_embedder
from nexus_serving.layout import Layout, SetUpFailed
from nexus_serving.llama.environment import prepare_llama
from nexus_serving.llama.files import available_memory, check, fetch, serving
from nexus_serving.triton_environment import Report, prepare_environment


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Two stacks may share the cache and start together: the second waits, and then finds all there."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def prepare(layout: Layout, report: Report) -> None:
    """Everything that the chosen reader needs; what is wrong with it is said here, before anything is started."""
    wanted = choice(layout.model)
    prepare_environment(layout, report)
    prepare_embedder(layout, report)
    if isinstance(wanted, GgufFile | HubFile):
        path = fetch(wanted, layout, report)
        serving(path, layout, available=available_memory())
        check(path, layout, prepare_llama(layout, report), report)


def main() -> int:
    def report(line: str) -> None:
        print(line, flush=True)  # noqa: T201 - this is a command

    try:
        layout = Layout.from_environment()
        with alone(layout.cache / "serving.lock"):
            prepare(layout, report)
    except SetUpFailed as failure:
        print(f"serving: {failure}", file=sys.stderr)  # noqa: T201
        return 1
    report("Triton and its models are ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
