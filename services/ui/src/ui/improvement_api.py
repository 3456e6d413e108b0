"""The typed client of the gateway for operators: runs, releases, incidents, and the switch for automatic runs."""

from urllib.parse import quote

import httpx

from ui.calls import Calls, headers_for, one
from ui.improvement import Automation, IncidentPage, Release, ReleasePage, Run, RunPage

MOVING_TIMEOUT = httpx.Timeout(120.0, connect=3.0)
"""A release is loaded before it answers, which takes as long as its model is large."""


class ImprovementClient:
    """Speaks to one gateway with one key, which needs the scope `admin`. Safe to share."""

    def __init__(
        self, base_url: str, api_key: str, transport: httpx.MockTransport | httpx.HTTPTransport | None = None
    ) -> None:
        self._calls = Calls(base_url, headers_for(api_key), transport)

    def close(self) -> None:
        """Close the pooled connections."""
        self._calls.close()

    def runs(self, *, limit: int) -> RunPage:
        """The newest runs, each with its stages."""
        return one(RunPage, self._calls.make("list_runs", "GET", "/v1/runs", params={"limit": limit}))

    def run(self, run_id: str) -> Run:
        """One run with the gate's verdict."""
        return one(Run, self._calls.make("get_run", "GET", f"/v1/runs/{_safe(run_id)}"))

    def run_log(self, run_id: str, *, stage: str | None = None) -> str:
        """The end of what a run or one stage of it has written, while it is being written too."""
        query = {"stage": stage} if stage else {}
        return self._calls.make("get_run_log", "GET", f"/v1/runs/{_safe(run_id)}/log", params=query).text

    def start_run(self, reason: str | None) -> Run:
        """Start a run; one at a time."""
        return one(Run, self._calls.make("create_run", "POST", "/v1/runs", json=_because(reason)))

    def releases(self, *, limit: int) -> ReleasePage:
        """The newest releases."""
        return one(ReleasePage, self._calls.make("list_releases", "GET", "/v1/releases", params={"limit": limit}))

    def release(self, release_id: str) -> Release:
        """One release with its parts and its history."""
        return one(Release, self._calls.make("get_release", "GET", f"/v1/releases/{_safe(release_id)}"))

    def promote(self, release_id: str, reason: str | None) -> Release:
        """Make a release answer from now on."""
        path = f"/v1/releases/{_safe(release_id)}/promote"
        response = self._calls.make("promote", "POST", path, json=_because(reason), timeout=MOVING_TIMEOUT)
        return one(Release, response)

    def roll_back(self, reason: str | None) -> Release:
        """Withdraw the challenger or, without one, go back to the release before. Returns what answers then."""
        path = "/v1/releases/rollback"
        response = self._calls.make("roll_back", "POST", path, json=_because(reason), timeout=MOVING_TIMEOUT)
        return one(Release, response)

    def incidents(self, *, limit: int) -> IncidentPage:
        """The newest incidents and what was done about them."""
        return one(IncidentPage, self._calls.make("list_incidents", "GET", "/v1/incidents", params={"limit": limit}))

    def automation(self) -> Automation:
        """How the switch for automatic runs stands."""
        return one(Automation, self._calls.make("get_automation", "GET", "/v1/automation"))

    def set_automation(self, *, paused: bool, reason: str | None) -> Automation:
        """Pause automatic runs, or go on with them."""
        body = {"paused": paused, **_because(reason)}
        return one(Automation, self._calls.make("set_automation", "PUT", "/v1/automation", json=body))


def _safe(name: str) -> str:
    return quote(name, safe="")


def _because(reason: str | None) -> dict[str, str]:
    return {"reason": reason} if reason else {}
