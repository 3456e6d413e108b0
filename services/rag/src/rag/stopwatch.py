"""How long the parts of an answer took."""

import time


class Stopwatch:
    """Milliseconds by name. A lap is the time since the lap before."""

    def __init__(self) -> None:
        self._started = self._lap = time.perf_counter()
        self.timings: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """The part that just ended."""
        now = time.perf_counter()
        self.timings[name] = round((now - self._lap) * 1000, 1)
        self._lap = now

    def so_far(self) -> dict[str, float]:
        """The timings with the `total` as it is now."""
        return self.timings | {"total": round((time.perf_counter() - self._started) * 1000, 1)}

    def mark(self, name: str) -> float:
        """A point in time, counted from the start. Returns it in seconds."""
        seconds = time.perf_counter() - self._started
        self.timings[name] = round(seconds * 1000, 1)
        return seconds
