"""alert-bridge's internal doors."""

import httpx
from opskit.contracts.runs import RunOrder, RunReport
from opskit.errors import Unavailable
from opskit.identity import Caller


class BridgeClient:
    """Satisfies `Bridge`."""

    def __init__(self, client: httpx.Client, *, token: str) -> None:
        self._client = client
        self._headers = {**Caller("default", "trainer").headers(token), "content-type": "application/json"}

    def started(self, order: RunOrder) -> None:
        """A run was started here by hand."""
        self._tell("POST", "/internal/runs", order.model_dump_json())

    def ended(self, run_id: str, report: RunReport) -> None:
        """A run has ended."""
        self._tell("PUT", f"/internal/runs/{run_id}", report.model_dump_json())

    def _tell(self, method: str, path: str, body: str) -> None:
        try:
            self._client.request(method, path, headers=self._headers, content=body).raise_for_status()
        except httpx.HTTPError as exc:
            raise Unavailable(f"alert-bridge does not answer {path}: {exc!r}"[:300]) from exc
