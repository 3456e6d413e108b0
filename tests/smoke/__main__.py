"""`python -m tests.smoke`: does an environment work, and does it go on working under virtual users?

    NEXUS_URL=http://gateway:8080 NEXUS_API_KEY=… python -m tests.smoke --users 8 --seconds 60

It knows nothing but the public API, works in a knowledge base of its own, and clears up. Exit status 1 says that
something does not work.
"""

import argparse
import os
import sys
import uuid
from pathlib import Path

from tests.e2e.clients import Nexus
from tests.smoke.questions import DOCUMENTS, ask_everything, clear_up, store
from tests.smoke.users import Limits, shortfalls, under_load

OWN = "own"
"""Stands for no release in particular: k8s/base/release."""


def main() -> int:
    """Everything in order; the first thing that is wrong ends it."""
    asked = arguments()
    with Nexus(os.environ["NEXUS_URL"], api_key(), base=f"smoke-{uuid.uuid4().hex[:8]}") as nexus:
        try:
            store(nexus, seconds=asked.patience)
            ask_everything(nexus, release=None if asked.release == OWN else asked.release)
            load = under_load(nexus, users=asked.users, seconds=asked.seconds)
            say(f"{asked.users} users for {asked.seconds:g} s: {load}")
            problems = shortfalls(load, Limits(asked.failed_share, asked.slowest))
        except AssertionError as exc:
            problems = [str(exc)]
        finally:
            clear_up(nexus)
        for problem in problems:
            say(f"wrong: {problem}")
        if problems and asked.roll_back and asked.release != OWN:
            roll_back(nexus, asked.release)
    say("it does not work" if problems else f"it works: {len(DOCUMENTS)} documents, every answer right")
    return 1 if problems else 0


def roll_back(nexus: Nexus, release: str) -> None:
    """The release before answers again, if this one answers now."""
    shown = nexus.http.get(f"/v1/releases/{release}")
    if shown.status_code != 200 or shown.json().get("state") != "champion":
        say(f"{release} is not the champion: nothing is rolled back")
        return
    done = nexus.http.post("/v1/releases/rollback", json={"reason": "the smoke check failed"})
    say(f"rolled back: {done.status_code} {done.text[:200]}")


def api_key() -> str:
    """Of a variable, or of a file as services have them."""
    folder = Path(os.environ.get("NEXUS_SECRETS_DIR") or "/run/secrets/nexus")
    return os.environ.get("NEXUS_API_KEY") or (folder / "nexus_api_key").read_text().strip()


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="smoke", description="Does this environment work?")
    parser.add_argument("--users", type=int, default=8, help="virtual users, each asking one question after the other")
    parser.add_argument("--seconds", type=float, default=60.0, help="for so long")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds until a document must be searchable")
    parser.add_argument("--failed-share", type=float, default=0.01, help="of the questions, so many may fail")
    parser.add_argument("--slowest", type=float, default=5.0, help="seconds that 95 %% of the answers must not exceed")
    parser.add_argument("--release", default=OWN, help="the release that must answer")
    parser.add_argument("--roll-back", action="store_true", help="if it does not work, go back from that release")
    return parser.parse_args()


def say(line: str) -> None:
    """Into the job's log, at once."""
    print(f"smoke: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
