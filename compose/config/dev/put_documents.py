"""Put the documents beside this file into the default knowledge base, then stay. Those that are there as they are
cost nothing; one that somebody removed comes back at the next start."""

import os
import signal
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

DOCUMENTS = Path(__file__).with_name("documents")
DONE = Path("/tmp/all-are-there")  # noqa: S108 - the container's own; its health check looks for it


def put(document: Path, gateway: str, key: str) -> None:
    """Under `demo/`, so that it is told apart from a developer's own."""
    place = f"{gateway}/v1/documents/{quote(f'demo/{document.name}')}"
    headers = {"authorization": f"Bearer {key}", "content-type": "text/markdown"}
    with urlopen(Request(place, document.read_bytes(), headers, method="PUT"), timeout=30):
        return


def main() -> None:
    """Ends with 1 when the gateway refuses one, and is then started again."""
    gateway = os.environ["NEXUS_URL"]
    key = Path(os.environ["NEXUS_SECRETS_DIR"], "nexus_api_key").read_text().strip()
    documents = sorted(DOCUMENTS.glob("*.md"))
    for document in documents:
        try:
            put(document, gateway, key)
        except URLError as failure:
            sys.exit(f"{document.name}: {failure}")
    sys.stdout.write(f"{len(documents)} documents are in the knowledge base.\n")
    sys.stdout.flush()
    DONE.touch()
    signal.pause()


if __name__ == "__main__":
    main()
