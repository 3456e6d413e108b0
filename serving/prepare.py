"""Set up everything Triton needs, under the cache. Safe to run again; takes no time when all is there."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nexus_serving.embedder_model import prepare_embedder
from nexus_serving.layout import Layout, SetUpFailed
from nexus_serving.triton_environment import prepare_environment


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Two stacks may share the cache and start together: the second waits, and then finds all there."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    layout = Layout.from_environment()

    def report(line: str) -> None:
        print(line, flush=True)  # noqa: T201 - this is a command

    try:
        with alone(layout.cache / "serving.lock"):
            prepare_environment(layout, report)
            prepare_embedder(layout, report)
    except SetUpFailed as failure:
        print(f"serving: {failure}", file=sys.stderr)  # noqa: T201
        return 1
    report("Triton and its models are ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
