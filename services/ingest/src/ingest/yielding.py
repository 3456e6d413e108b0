"""When ingest should step back: somebody else, a person with a question, uses the embedder, too. Pure."""

from collections import deque
from typing import Final

WINDOW_SECONDS: Final = 2.0
CERTAIN: Final = 2
"""One request more than our own may be ours, answered but not counted yet; two are somebody else's."""


class OthersAtWork:
    """Tells from the server's count of requests and our own whether others were served in the last two seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, *, total: int, own: int, now: float) -> bool:
        """Take in both counts as they are `now`; True when others are at work."""
        others = total - own
        if self._seen and others < self._seen[-1][1] - CERTAIN:
            self._seen.clear()  # the server started anew
        self._seen.append((now, others))
        while self._seen[0][0] < now - WINDOW_SECONDS:
            self._seen.popleft()
        return others - min(count for _, count in self._seen) >= CERTAIN
