"""Become `mlflow server`: `python -m tracking`."""

import os
import sys
from pathlib import Path

from tracking.artifacts import ensure_bucket
from tracking.server import NotConfigured, artifacts, command, environment


def main() -> None:
    """Replace this process by the server, so that whoever started it watches MLflow itself."""
    try:
        variables = environment(os.environ, Path(os.environ.get("NEXUS_SECRETS_DIR", "/run/secrets/nexus")))
        ensure_bucket(variables, artifacts(variables))
    except NotConfigured as exc:
        sys.exit(f"mlflow: {exc}")
    line = command(variables)
    os.execvpe(line[0], line, variables)


if __name__ == "__main__":
    main()
