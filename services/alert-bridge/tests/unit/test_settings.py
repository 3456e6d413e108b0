"""What stops the start."""

from datetime import timedelta

import pytest
from alert_bridge.settings import Settings
from pydantic import ValidationError

TOKENS = {"internal_token": "an-internal-token-of-length", "webhook_token": "a-webhook-token-of-length"}
DOOR = {"argo_events_url": "http://events.argo:12000/runs", "argo_events_token": "a-token"}


def test_by_default_runs_go_through_celery_six_hours_apart():
    settings = Settings(**TOKENS)
    assert settings.run_starter == "celery"
    assert (settings.run_cooldown, settings.run_deadline) == (timedelta(hours=6), timedelta(hours=3))


@pytest.mark.parametrize("given", [{}, {"argo_events_url": DOOR["argo_events_url"]}, {"argo_events_token": "a-token"}])
def test_argo_events_needs_its_url_and_its_token(given):
    with pytest.raises(ValidationError, match=r"needs NEXUS_ARGO_EVENTS_URL and NEXUS_ARGO_EVENTS_TOKEN"):
        Settings(**TOKENS, run_starter="argo-events", **given)
    assert Settings(**TOKENS, run_starter="argo-events", **DOOR).argo_events_url


@pytest.mark.parametrize("given", [{"run_cooldown": "-PT1H"}, {"run_cooldown": "P1000D"}, {"run_deadline": "PT0S"}])
def test_a_senseless_cooldown_or_deadline_is_refused(given):
    with pytest.raises(ValidationError, match="run_"):
        Settings(**TOKENS, **given)


def test_times_are_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("NEXUS_RUN_COOLDOWN", "PT30M")
    monkeypatch.setenv("NEXUS_RUN_DEADLINE", "PT1H")
    settings = Settings(**TOKENS)
    assert (settings.run_cooldown, settings.run_deadline) == (timedelta(minutes=30), timedelta(hours=1))
