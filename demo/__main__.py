"""`make demo`: a fresh stack with the demonstration's timing, its users, and both loops closing before your eyes.

It fails loudly when the answers did not become better.
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx

from demo.gateway import Gateway
from demo.knowledge import HERE, questions
from demo.loops import data_loop, ingest, model_loop
from demo.prometheus import Prometheus
from demo.timeline import NeverHappened, Timeline

ROOT = HERE.parent
STATE = ROOT / ".nexus" / "demo"
PORT_OFFSET = "2000"
"""With it no port is one of a stack beside it."""
USERS = 6
RISE = 0.20
"""What the held-out questions must gain at least."""


def main() -> int:
    """The exit status: 0 when both loops closed and the answers became better."""
    environment = {
        **os.environ,
        "NEXUS_PROFILE": "demo",
        "NEXUS_STATE_DIR": str(STATE),
        "NEXUS_CACHE_DIR": os.environ.get("NEXUS_CACHE_DIR") or str(ROOT / ".nexus" / "cache"),
        "NEXUS_PORT_OFFSET": os.environ.get("NEXUS_PORT_OFFSET") or PORT_OFFSET,
    }
    _embedded("down", environment)
    shutil.rmtree(STATE, ignore_errors=True)
    if _embedded("up", environment) != 0:
        return 1
    try:
        return _shown(_addresses(STATE / "env"))
    except (NeverHappened, httpx.HTTPError) as exc:
        print(f"\nThe demonstration failed: {exc}\nThe logs are in {STATE / 'logs'}", file=sys.stderr)
        return 1
    finally:
        if os.environ.get("KEEP") != "yes":
            _embedded("down", environment)


def _shown(addresses: dict[str, str]) -> int:
    about = json.loads((HERE / "changes.json").read_text(encoding="utf-8"))
    timeline = Timeline(lambda line: print(line, flush=True))
    with ExitStack() as stack:
        admin = Gateway(addresses["NEXUS_URL"], addresses["NEXUS_API_KEY"])
        stack.callback(admin.close)
        prometheus = Prometheus(addresses["NEXUS_PROMETHEUS_URL"])
        stack.callback(prometheus.close)
        users = [Gateway(addresses["NEXUS_URL"], admin.make_key(f"demo user {n}")) for n in range(1, USERS + 1)]
        for user in users:
            stack.callback(user.close)
        print(f"\nWatch it at {addresses['NEXUS_UI_URL']}\n")
        timeline.note("the stack is ready")
        ingest(admin, timeline)
        before, after = model_loop(admin, users, prometheus, questions("users"), questions("held_out"), timeline)
        data_loop(admin, about["edited"], about["deleted"], timeline)
    rise = after.share - before.share
    print(
        f"\nExact match on {before.asked} questions about products that no user asked about: "
        f"{before.share:.0%} before, {after.share:.0%} after ({rise:+.0%}).\n"
        f"From the alert to the promoted release: {timeline.between('alert fired', 'run ended') / 60:.1f} minutes."
    )
    if rise < RISE:
        print(f"That is less than the {RISE:.0%} that this demonstration promises.", file=sys.stderr)
        return 1
    return 0


def _embedded(command: str, environment: dict[str, str]) -> int:
    return subprocess.run(
        [sys.executable, "-m", "embedded", command], env=environment, cwd=ROOT, check=False
    ).returncode


def _addresses(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


if __name__ == "__main__":
    sys.exit(main())
