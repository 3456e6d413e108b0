"""Everything that serving needs, made where it is missing."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nexus_serving.choice import GgufFile, HubFile, choice
from nexus_serving.embedder_model import embedder_folder, prepare_embedder
from nexus_serving.layout import Layout, SetUpFailed
from nexus_serving.llama.environment import prepare_llama
from nexus_serving.llama.files import available_memory, check, fetch, serving
from nexus_serving.triton_environment import Report, prepare_environment


def prepare(layout: Layout, report: Report) -> None:
    """Everything that the chosen reader needs; what is wrong with it is said here, before anything is started. Safe to
    do again. Where an image has it all the cache is not touched. Raises SetUpFailed."""
    wanted = choice(layout.model)
    built_in = layout.system_triton is not None and embedder_folder(layout).is_relative_to(layout.built_in_embedder)
    if built_in and not isinstance(wanted, GgufFile | HubFile):
        return
    with _alone(layout.cache / "serving.lock"):
        if layout.system_triton is None:
            prepare_environment(layout, report)
        prepare_embedder(layout, report)
        if isinstance(wanted, GgufFile | HubFile):
            path = fetch(wanted, layout, report)
            serving(path, layout, available=available_memory())
            check(path, layout, prepare_llama(layout, report), report)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Two stacks may share the cache and start together: the second waits, and then finds all there."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise SetUpFailed(
            f"the cache {lock.parent} cannot be written ({error.strerror}): set NEXUS_CACHE_DIR"
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
