"""The typed things a route may ask for."""

import secrets
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from opskit.errors import TooLarge, Unauthenticated

from alert_bridge.decide import Policy
from alert_bridge.dispatch import Dispatcher
from alert_bridge.ports import AutomationStore, IncidentStore, RunStore
from alert_bridge.settings import Settings

_bearer = HTTPBearer(auto_error=False, description="NEXUS_WEBHOOK_TOKEN, as Alertmanager presents it.")


def _incidents(request: Request) -> IncidentStore:
    store: IncidentStore = request.app.state.incidents
    return store


def _runs(request: Request) -> RunStore:
    store: RunStore = request.app.state.runs
    return store


def _automation(request: Request) -> AutomationStore:
    store: AutomationStore = request.app.state.runs
    return store


def _dispatcher(request: Request) -> Dispatcher:
    dispatcher: Dispatcher = request.app.state.dispatcher
    return dispatcher


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


Incidents = Annotated[IncidentStore, Depends(_incidents)]
Runs = Annotated[RunStore, Depends(_runs)]
Switch = Annotated[AutomationStore, Depends(_automation)]
RunDispatcher = Annotated[Dispatcher, Depends(_dispatcher)]
AppSettings = Annotated[Settings, Depends(_settings)]


def _policy(settings: AppSettings) -> Policy:
    return Policy(cooldown=settings.run_cooldown, deadline=settings.run_deadline)


RunPolicy = Annotated[Policy, Depends(_policy)]


async def require_webhook_token(
    settings: AppSettings, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Refuse anyone but Alertmanager, in constant time."""
    expected = settings.webhook_token.get_secret_value()
    if given is None or not secrets.compare_digest(given.credentials.encode(), expected.encode()):
        raise Unauthenticated("The webhook wants its bearer token (NEXUS_WEBHOOK_TOKEN).")


async def _bounded_body(request: Request, settings: AppSettings) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > settings.max_webhook_bytes:
            raise TooLarge(f"The message has more than {settings.max_webhook_bytes:,} bytes.")
    return bytes(body)


Body = Annotated[bytes, Depends(_bounded_body)]
