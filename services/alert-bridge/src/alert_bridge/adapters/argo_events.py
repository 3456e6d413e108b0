"""Orders through the webhook of an Argo Events event source, whose sensor submits the workflow."""

import httpx
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable


class ArgoEvents:
    """Satisfies `RunStarter`. The client follows no redirects, so the token goes nowhere else."""

    def __init__(self, client: httpx.AsyncClient, url: str, token: str) -> None:
        self._client = client
        self._url = url
        self._headers = {"authorization": f"Bearer {token}"}

    async def start(self, order: RunOrder) -> None:
        """Post the order as JSON; a sensor finds its fields under `body`. The event source answers 200 once the event
        bus has it."""
        response = await self._ask("POST", json=order.model_dump(mode="json"))
        if not response.is_success:
            raise Unavailable(f"Argo Events answers {response.status_code}.")

    async def check(self) -> None:
        """Ask with a method that starts nothing: an event source looks at path and token first, and then refuses the
        method."""
        status = (await self._ask("HEAD")).status_code
        if status in (401, 403, 404) or status >= 500:
            raise Unavailable(f"Argo Events answers {status}.")

    async def _ask(self, method: str, *, json: object = None) -> httpx.Response:
        try:
            return await self._client.request(method, self._url, json=json, headers=self._headers)
        except httpx.HTTPError as exc:
            raise Unavailable("Argo Events cannot be reached.") from exc
