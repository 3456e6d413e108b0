"""Signs of life: how others know that somebody works on a run."""

import threading
from collections.abc import Callable
from datetime import timedelta

import structlog
from opskit.errors import Unavailable

log = structlog.get_logger(__name__)

SIGN_EVERY = timedelta(seconds=5)


class Signing:
    """Gives a sign of life for a run while something long is done. Use it with `with`."""

    def __init__(self, sign: Callable[[], None]) -> None:
        self._sign, self._over = sign, threading.Event()
        self._thread = threading.Thread(target=self._keep_signing, daemon=True)

    def __enter__(self) -> "Signing":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _keep_signing(self) -> None:
        while not self._over.wait(SIGN_EVERY.total_seconds()):
            try:
                self._sign()
            except Unavailable as exc:
                log.warning("sign_of_life_not_kept", reason=exc.message)
