"""What can go wrong between the chatbot and the gateway, as one tree.

GatewayError
├── Unreachable      nobody answers at the gateway's address, or not in time
├── KeyRefused       401: the key is unknown
├── ScopeMissing     403: the key is known and not allowed to do this
├── NotThere         404
├── InTheWay         409: what is there already forbids it; the message says what
├── Busy             429 or 503: later is right; `retry_after` says when
├── Rejected         any other 4xx: the message says what to change
├── Broken           5xx, or an answer we do not understand
└── Interrupted      a streamed answer stopped in the middle

FiguresAway          Prometheus, which is no part of the gateway, cannot be read
"""


class GatewayError(Exception):
    """Base of all. `message` is written for a person."""

    def __init__(self, message: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class Unreachable(GatewayError):
    """Nobody answers at the gateway's address, or not in time."""


class KeyRefused(GatewayError):
    """The key is unknown or was revoked."""


class ScopeMissing(GatewayError):
    """The key is known, and not allowed to do this."""


class NotThere(GatewayError):
    """It does not exist (or belongs to somebody else)."""


class InTheWay(GatewayError):
    """It cannot be done as things stand."""


class Busy(GatewayError):
    """A limit is used up or a part is down; trying later is right."""


class Rejected(GatewayError):
    """The request cannot be served as it is."""


class Broken(GatewayError):
    """Something broke behind the gateway, or answered in a shape we do not understand."""


class Interrupted(GatewayError):
    """A streamed answer stopped in the middle."""


class FiguresAway(Exception):
    """Figures over time cannot be had now; the message is one sentence for a person."""


def of_status(status: int, message: str, retry_after: int | None = None) -> GatewayError:
    """The error an HTTP status stands for."""
    exact: dict[int, type[GatewayError]] = {
        401: KeyRefused,
        403: ScopeMissing,
        404: NotThere,
        409: InTheWay,
        429: Busy,
        503: Busy,
    }
    kind = exact.get(status, Rejected if status < 500 else Broken)
    return kind(message, retry_after=retry_after)
