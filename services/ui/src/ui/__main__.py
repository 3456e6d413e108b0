"""Start the chatbot: `python -m ui`."""

import logging
import sys

import uvicorn

from ui.app import create_app
from ui.settings import read_settings


def main() -> None:
    """Serve until told to stop."""
    settings = read_settings()
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("uvicorn.access").disabled = True
    for noisy in ("httpx", "httpcore", "watchdog"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    uvicorn.run(
        create_app(settings),
        host=settings.ui_host,
        port=settings.ui_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
    )


if __name__ == "__main__":
    main()
