"""When a part that died is started again. Pure."""

from dataclasses import dataclass
from typing import Final

_FIRST_WAIT_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 30.0
_STEADY_SECONDS: Final = 60.0
"""Who ran this long after becoming ready had recovered; the next death is a new story."""


@dataclass(frozen=True)
class Deaths:
    """How a part has been dying lately."""

    in_a_row: int = 0

    def after(self, *, ready_for: float | None) -> "Deaths":
        """One death more, of a process that had been ready for that long (None: never)."""
        recovered = ready_for is not None and ready_for >= _STEADY_SECONDS
        return Deaths(1 if recovered else self.in_a_row + 1)

    @property
    def wait_seconds(self) -> float:
        """How long to wait before the next start: at once for an accident, ever longer for a habit."""
        return min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** max(0, self.in_a_row - 1))
