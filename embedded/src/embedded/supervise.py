"""What `make up` leaves running: the supervisor over this stack's parts."""

import fcntl
import os

from embedded import sessions
from embedded.errors import CannotStart
from embedded.preparing import prepare
from embedded.processes import processes
from embedded.record import StackRecord
from embedded.running import settings_digest
from embedded.stack import Stack
from embedded.supervisor import Supervisor


async def supervise(stack: Stack, without: frozenset[str]) -> None:
    """Run until told to stop. Two of them on one state folder would fight, so the second refuses."""
    parts = processes(stack, prepare(stack), without=without)
    with (stack.run / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"Another supervisor runs this stack ({stack.state})") from None
        own = sessions.identify(os.getpid())
        assert own is not None  # it is running this line
        record = StackRecord(own, settings_digest(parts))
        await Supervisor(parts, record, stack.record_file, stack.logs, stack.checkout).run()
