"""What happened when, printed as it happens."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class NeverHappened(Exception):
    """Something that must happen did not; the message says what."""


class Timeline:
    """Prints each event with the minutes and seconds since the beginning, and remembers when it was."""

    def __init__(self, say: Callable[[str], None] = print, clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._began = clock()
        self.at: dict[str, float] = {}

    def note(self, event: str, detail: str = "") -> None:
        """Something happened now."""
        self.at[event] = self._clock() - self._began
        minutes, seconds = divmod(self.at[event], 60)
        self._say(f"{minutes:3.0f}:{seconds:04.1f}  {event}{f'  {detail}' if detail else ''}")

    def remark(self, text: str) -> None:
        """Something worth saying that is no event."""
        self._say(f"        {text}")

    def wait_for(self, event: str, look: Callable[[], Result | None], *, seconds: float) -> Result:
        """Look again and again until there is something. Raises NeverHappened."""
        until = self._clock() + seconds
        while self._clock() < until:
            found = look()
            if found:
                return found
            time.sleep(0.5)
        raise NeverHappened(f"{event}: not within {seconds:.0f} s")

    def between(self, first: str, second: str) -> float:
        """Seconds from one event to another."""
        return self.at[second] - self.at[first]
