"""How the stack is: what every service says about itself, asked at the same time."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import orjson

from gateway.errors import ServiceDown
from gateway.fetch import fetch
from gateway.ports import Call, Upstream
from gateway.schemas.operations import ServiceState, StackState

PATIENCE_SECONDS = 1.8
"""Just under what the caller's own readiness check grants."""
State = Literal["ready", "degraded", "unavailable"]
_WORSE: Mapping[State, int] = {"ready": 0, "degraded": 1, "unavailable": 2}


class NotReady(Exception):
    """A service says it is not ready, or says nothing."""


class StackWatch:
    """Asks the services behind the gateway how they are, and the gateway itself what troubles it."""

    def __init__(self, services: Sequence[Upstream], trouble: Callable[[], Mapping[str, str | None]]) -> None:
        """`trouble` names what the gateway serves without just now, with the reason; None where all is well."""
        self._services = services
        self._trouble = trouble

    async def states(self) -> dict[str, ServiceState]:
        """Each service's state by its name."""
        states = await asyncio.gather(*(state_of(service) for service in self._services))
        behind = dict(zip((service.name for service in self._services), states, strict=True))
        return {"gateway": self._own(), **behind}

    def _own(self) -> ServiceState:
        # Whoever reads this was let in, so the gateway serves; the question is only what it serves without.
        checks = {name: why or "ok" for name, why in self._trouble().items()}
        return ServiceState(status="degraded" if any(self._trouble().values()) else "ready", checks=checks)


async def require_ready(service: Upstream) -> None:
    """Raise NotReady with the reasons unless the service can serve."""
    state = await state_of(service)
    if state.status == "unavailable":
        raise NotReady(reasons(state))


async def state_of(service: Upstream) -> ServiceState:
    """What a service says about itself."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, body = await fetch(service, Call("GET", "/readyz", {}))
    except TimeoutError:
        return _silent(service, f"no answer within {PATIENCE_SECONDS:g} s")
    except ServiceDown as exc:
        return _silent(service, exc.reason)
    return understood(status, body)


def understood(status: int, body: bytes) -> ServiceState:
    """A service's answer to /readyz as a state, whatever it sent."""
    try:
        checks = {str(name): str(verdict) for name, verdict in orjson.loads(body)["checks"].items()}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        checks = {}
    if status != 200:
        return ServiceState(status="unavailable", checks=checks or {"readyz": f"status {status}"})
    healthy = all(verdict == "ok" for verdict in checks.values())
    return ServiceState(status="ready" if healthy else "degraded", checks=checks)


def reasons(state: ServiceState) -> str:
    """What is wrong, by name."""
    return "; ".join(f"{name}: {verdict}" for name, verdict in state.checks.items() if verdict != "ok")


def worst(states: Mapping[str, ServiceState]) -> StackState:
    """The stack is as well as its worst service."""
    status = max((state.status for state in states.values()), key=_WORSE.__getitem__, default="ready")
    return StackState(status=status, services=dict(states))


def _silent(service: Upstream, why: str) -> ServiceState:
    return ServiceState(status="unavailable", checks={service.name: why})
