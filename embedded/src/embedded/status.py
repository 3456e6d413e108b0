"""`make status`: every part with its process, its restarts and its memory."""

import time
from datetime import timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from embedded import running, sessions
from embedded.processes import processes
from embedded.record import PartRecord, StackRecord, State
from embedded.secrets_folder import open_secrets
from embedded.stack import Stack

_MIB = 1024 * 1024
_WIDE = 160
_COLOURS = {State.READY: "green", State.RESTARTING: "red", State.NOT_READY: "red", State.STARTING: "yellow"}


def status(stack: Stack) -> int:
    """Print the table; 0 when every part is ready."""
    found = running.now(stack)
    if found is None:
        print("Nexus is not running; make up starts it.")
        return 1
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(_table(stack, found))
    return 0 if all(record.state is State.READY for record in found.parts.values()) else 1


def _table(stack: Stack, found: StackRecord) -> Table:
    urls = {part.name: part.url for part in processes(stack, open_secrets(stack.secrets))}
    table = Table(box=None, pad_edge=False, show_footer=True)
    memory = {name: _memory(record) for name, record in found.parts.items()}
    ready = sum(record.state is State.READY for record in found.parts.values())
    table.add_column("PART", footer=f"{ready} of {len(found.parts)} ready")
    table.add_column("STATE")
    table.add_column("PID", justify="right")
    table.add_column("RESTARTS", justify="right", footer=str(sum(part.restarts for part in found.parts.values())))
    table.add_column("SINCE", justify="right")
    table.add_column("MEMORY", justify="right", footer=f"{sum(memory.values())} MiB")
    table.add_column("ADDRESS")
    for name, record in found.parts.items():
        state = f"{record.state}: {record.reason}" if record.reason else str(record.state)
        table.add_row(
            name,
            Text(state, style=_COLOURS.get(record.state, "")),
            str(record.process.pid) if record.process else "-",
            str(record.restarts),
            str(timedelta(seconds=int(time.time() - record.since))),
            f"{memory[name]} MiB",
            urls.get(name, ""),
        )
    return table


def _memory(record: PartRecord) -> int:
    """Resident memory of everything the part runs. Pages that processes share count for each."""
    return sessions.resident_bytes(record.process) // _MIB if record.process else 0
