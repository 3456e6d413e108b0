"""Start the chatbot: `python -m ui`."""

import logging
import sys

import uvicorn
from pydantic import ValidationError

from ui.app import create_app
from ui.settings import Settings


def main() -> None:
    """Serve until told to stop."""
    try:
        settings = Settings()
    except ValidationError as exc:
        for problem in exc.errors():
            print(f"NEXUS_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", file=sys.stderr)
        sys.exit(2)
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
