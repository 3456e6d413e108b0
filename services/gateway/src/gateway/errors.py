"""What can go wrong at the door, as one tree.

NexusError
├── NotFound
│   └── ModelNotFound       the request names a model nobody serves
├── InvalidRequest
│   └── Unsupported         OpenAI has it, we do not; the message says so
└── Unavailable
    ├── ServiceDown         a service behind the gateway does not answer
    │   └── ReplyBroken     it stopped in the middle of its answer
    ├── KeysUnavailable     the database of keys does not answer
    └── Overloaded          more in flight than the gateway takes on
LimiterDown                 the shared limiter cannot be asked; never reaches a caller
"""

from opskit.errors import InvalidRequest, NotFound, Unavailable


class ModelNotFound(NotFound):
    """The request names a model nobody serves."""

    code = "model_not_found"


class Unsupported(InvalidRequest):
    """Part of OpenAI's API that this platform does not have."""

    code = "unsupported_parameter"


class ServiceDown(Unavailable):
    """A service behind the gateway cannot be reached or does not answer in time."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service} cannot be reached just now ({reason}); try again in a moment.", retry_after=2)
        self.service = service
        self.reason = reason


class ReplyBroken(ServiceDown):
    """A service stopped in the middle of its answer."""


class KeysUnavailable(Unavailable):
    """Keys cannot be looked up, so nobody can be let in."""


class Overloaded(Unavailable):
    """More requests in flight than the gateway takes on; failing now beats queueing for ever."""

    code = "overloaded"


class LimiterDown(Exception):
    """The shared limiter cannot be asked."""
