"""What Prometheus says of alerts."""

import httpx


class Prometheus:
    """One server."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=10.0)

    def firing(self, alertname: str) -> bool:
        """Whether an alert fires now."""
        alerts = self._client.get("/api/v1/alerts").raise_for_status().json()["data"]["alerts"]
        return any(one["labels"]["alertname"] == alertname and one["state"] == "firing" for one in alerts)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()
