"""Showing how a start gets on: a live table on a terminal, one line a change elsewhere."""

import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from embedded.processes import Part
from embedded.record import PartRecord, State

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_COLOURS = {State.READY: "green", State.RESTARTING: "red", State.NOT_READY: "red", State.STARTING: "yellow"}


class Progress:
    """Shows records as they change. Says nothing at all when the first it is shown is all ready."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._began = time.monotonic()
        self._said: dict[str, State] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, records: Mapping[str, PartRecord]) -> None:
        """The present state."""
        if not self._said and all(record.state is State.READY for record in records.values()):
            return
        if sys.stdout.isatty():
            self._draw(records)
        else:
            self._tell(records)
        self._said = {name: record.state for name, record in records.items()}

    def _tell(self, records: Mapping[str, PartRecord]) -> None:
        for name, record in records.items():
            if record.state is not self._said.get(name, State.WAITING):
                reason = f"  {record.reason}" if record.reason else ""
                print(f"{time.monotonic() - self._began:6.1f} s  {record.state:<10}  {name}{reason}", flush=True)

    def _draw(self, records: Mapping[str, PartRecord]) -> None:
        # Rich is imported only where it is seen: a repeated `make up` on a running stack should take no time.
        from rich.live import Live

        if self._live is None:
            self._live = Live(self._table(records), refresh_per_second=8)
            self._live.start()
        self._live.update(self._table(records))

    def _table(self, records: Mapping[str, PartRecord]) -> "Table":
        from rich.table import Table

        ready = sum(record.state is State.READY for record in records.values())
        title = f"Starting: {ready} of {len(records)} ready, {time.monotonic() - self._began:.0f} s"
        table = Table(title=title, title_justify="left", box=None, pad_edge=False, show_header=False)
        for part in self._parts:
            record = records[part.name]
            colour = _COLOURS.get(record.state, "bright_black")
            table.add_row(part.name, f"[{colour}]{record.state}[/]", record.reason)
        return table
