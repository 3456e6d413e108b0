"""When to stop asking a server that fails, and when to try it again. Pure: the clock is handed in.

Closed while it works; after `failures` in a row open for `seconds`, in which nobody waits for it in vain; then one call
may try it, and its outcome closes or opens the breaker. (Nygard, Release It!)
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Breaker:
    """One server's breaker."""

    failures: int = 3
    seconds: float = 10.0
    clock: Callable[[], float] = time.monotonic
    _failed: int = 0
    _open_until: float = 0.0
    _trying: bool = False

    def wait(self) -> float:
        """Seconds until a call may be made; 0 when one may be made now, which is then the one that tries."""
        if self._failed < self.failures:
            return 0.0
        left = self._open_until - self.clock()
        if left > 0 or self._trying:
            return max(left, 1.0)
        self._trying = True
        return 0.0

    def worked(self) -> None:
        """A call came through."""
        self._failed, self._trying = 0, False

    def failed(self) -> None:
        """A call did not."""
        self._failed += 1
        self._trying = False
        self._open_until = self.clock() + self.seconds

    def given_up(self) -> None:
        """A call ended without telling anything about the server: its client left."""
        self._trying = False

    @property
    def is_open(self) -> bool:
        return self._failed >= self.failures and self._open_until > self.clock()
