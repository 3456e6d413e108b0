"""Notices within about a second what people do in the documents folder.

A path is looked at once it was quiet for a moment, so that a file that is still being written is mostly seen whole.
Should half of one be seen, its next change is another version.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog
from watchfiles import Change, awatch

from ingest.adapters.folder_store import FolderStore
from ingest.keys import DocumentName

log = structlog.get_logger(__name__)

QUIET_SECONDS: Final = 0.4
_TICK_SECONDS: Final = 0.1
_RESTART_SECONDS: Final = 1.0

Notice = Callable[[DocumentName], Awaitable[None]]
Compare = Callable[[], Awaitable[None]]


class FolderWatcher:
    """Calls `notice` for a document that may have changed, and `compare` when only a full look will tell."""

    def __init__(self, store: FolderStore, *, notice: Notice, compare: Compare) -> None:
        self._store = store
        self._notice = notice
        self._compare = compare
        self._stirred: dict[Path, float] = {}

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._collect())
            tasks.create_task(self._settle())

    async def _collect(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._store.root.mkdir, parents=True, exist_ok=True)
                async for changes in awatch(self._store.root, watch_filter=_is_visible, debounce=100, step=50):
                    now = time.monotonic()
                    self._stirred |= {Path(path): now for _, path in changes}
            except OSError as exc:
                log.warning("watching_interrupted", reason=str(exc))
            await asyncio.sleep(_RESTART_SECONDS)
            await self._compare()

    async def _settle(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            quiet_since = time.monotonic() - QUIET_SECONDS
            quiet = [path for path, at in self._stirred.items() if at <= quiet_since]
            for path in quiet:
                del self._stirred[path]
            if quiet:
                await self._look(quiet)

    async def _look(self, paths: list[Path]) -> None:
        compare = False
        for path in paths:
            name = await asyncio.to_thread(self._store.name_at, path)
            is_file = await asyncio.to_thread(path.is_file)
            if name is not None:
                await self._notice(name)
            # A folder, or what was there and is not: what is or was below it is only known by comparing.
            compare = compare or not is_file
        if compare:
            await self._compare()


def _is_visible(_: Change, path: str) -> bool:
    return not Path(path).name.startswith(".")
