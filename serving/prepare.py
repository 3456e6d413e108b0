"""Set up everything Triton needs, under the cache. Safe to run again; takes no time when all is there."""

import argparse
import sys

from nexus_serving.embedder_model import prepare_embedder
from nexus_serving.layout import Layout, SetUpFailed
from nexus_serving.preparing import prepare


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedder-only", action="store_true", help="convert the embedder alone, as image builds do")
    asked = parser.parse_args()

    def report(line: str) -> None:
        print(line, flush=True)  # noqa: T201 - this is a command

    try:
        (prepare_embedder if asked.embedder_only else prepare)(Layout.from_environment(), report)
    except SetUpFailed as failure:
        print(f"serving: {failure}", file=sys.stderr)  # noqa: T201
        return 1
    report("The embedder is ready" if asked.embedder_only else "Triton and its models are ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
