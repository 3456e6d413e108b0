"""`make up`: prepare, start in the background, wait until every part is ready, and say what can be done now."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from embedded import preflight, running
from embedded.errors import CannotStart
from embedded.log_files import last_lines
from embedded.preparing import prepare
from embedded.probes import trouble
from embedded.processes import Part, processes
from embedded.progress import Progress
from embedded.record import PartRecord, State
from embedded.secrets_folder import open_secrets
from embedded.stack import Stack

_DEATHS_ARE_ENOUGH: Final = 3
_LOOK_AGAIN_SECONDS: Final = 0.1
_SHOWN_LOG_LINES: Final = 15

Say = Callable[[str], None]


class NeverReady(Exception):
    """A part cannot become ready."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"{part} did not become ready: {why}")
        self.part = part


def up(stack: Stack, without: frozenset[str], say: Say) -> int:
    """Bring the stack up, or see that it is; the exit status."""
    began = time.monotonic()
    with running.alone(stack):
        parts, was_running = _ensure_started(stack, without, say)
    try:
        _wait(stack, parts)
    except NeverReady as exc:
        _explain(stack, exc, say)
        return 1
    say(
        _what_now(
            stack, parts, f"was running already ({_seconds(began)})" if was_running else f"is ready ({_seconds(began)})"
        )
    )
    return 0


def _ensure_started(stack: Stack, without: frozenset[str], say: Say) -> tuple[list[Part], bool]:
    preflight.check_disk(stack.state)
    found = running.now(stack)
    if found is None:
        running.stop(stack)  # what a killed supervisor left behind holds ports and files
    # A stack that runs keeps what it was started with, whatever ports or profile this is called with.
    secrets = prepare(stack) if found is None else open_secrets(stack.secrets)
    parts = processes(stack, secrets, without=without)
    if found is not None:
        if found.settings != running.settings_digest(parts):
            say("The stack runs with other settings than these; make down and make up apply them.")
        # What runs is what is looked at.
        return [part for part in processes(stack, secrets) if part.name in found.parts], True
    preflight.check(stack, parts)
    if any(part.name == "triton" for part in parts):
        _prepare_serving(stack)
    running.start_supervisor(stack, [f"--without={name}" for name in sorted(without)])
    return parts, False


def _prepare_serving(stack: Stack) -> None:
    """Triton's own environment and the converted embedder; it shows its own progress."""
    command = [sys.executable, str(stack.checkout / "serving" / "prepare.py")]
    environment = {**stack.inherited, "NEXUS_STATE_DIR": str(stack.state), "NEXUS_CACHE_DIR": str(stack.cache)}
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        raise CannotStart("The models could not be prepared; the line above says why, and make up tries again")


def _wait(stack: Stack, parts: Sequence[Part]) -> None:
    """Until every part is ready by its own account and by ours."""
    since = {part.name: time.monotonic() for part in parts}
    with Progress(parts) as progress:
        while True:
            found = running.now(stack)
            if found is None:
                raise NeverReady("supervisor", "it has ended")
            progress.show(found.parts)
            if all(record.state is State.READY for record in found.parts.values()):
                if not (silent := _silent(parts)):
                    return
                found.parts[next(iter(silent))].reason = next(iter(silent.values()))
            for part in parts:
                record = found.parts[part.name]
                if record.state in (State.WAITING, State.READY):
                    since[part.name] = time.monotonic()
                if why := hopeless(part, record, seconds=time.monotonic() - since[part.name]):
                    raise NeverReady(part.name, why)
            time.sleep(_LOOK_AGAIN_SECONDS)


def _silent(parts: Sequence[Part]) -> Mapping[str, str]:
    """The supervisor looks now and then; this looks now, at all parts at once."""
    with ThreadPoolExecutor(max_workers=len(parts)) as threads:
        answers = zip(parts, threads.map(trouble, [part.probe for part in parts]), strict=True)
        return {part.name: why for part, why in answers if why is not None}


def hopeless(part: Part, record: PartRecord, *, seconds: float) -> str | None:
    """Why there is no use in waiting for a part that has not been ready for so many seconds; None while there is."""
    if record.failures >= _DEATHS_ARE_ENOUGH:
        return f"it {record.reason or 'ended'}, {record.failures} times"
    if seconds > part.patience_seconds:
        return f"not within {part.patience_seconds:.0f} s ({record.reason or 'no answer'})"
    return None


def _explain(stack: Stack, problem: NeverReady, say: Say) -> None:
    log_file = stack.log_file(problem.part)
    say(str(problem))
    if lines := last_lines(log_file, _SHOWN_LOG_LINES):
        say(f"The last lines of {log_file}:")
        for line in lines:
            say(f"    {line}")
    say("The other parts keep running: make status shows them, make down stops them.")


def _seconds(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"


def _what_now(stack: Stack, parts: Sequence[Part], state: str) -> str:
    folder = stack.documents / "default" / "default"
    return f"""
Nexus {state}, {len(parts)} parts.

  Chatbot         {stack.url("ui")}
  API             {stack.url("gateway")}/docs  (OpenAI-compatible at {stack.url("gateway")}/v1)
  MLflow          {stack.url("mlflow")}
  Prometheus      {stack.url("prometheus")}
  Alertmanager    {stack.url("alertmanager")}
  Documents       {folder}  (a file put here is indexed by itself)
  Addresses, key  {stack.env_file}

Put a document in, then ask:

  . {stack.env_file}
  curl -X PUT "$NEXUS_URL/v1/documents/support.md" -H "Authorization: Bearer $NEXUS_API_KEY" \\
    --data-binary "Our support desk answers within four hours on working days."
  curl "$NEXUS_URL/v1/chat/completions" -H "Authorization: Bearer $NEXUS_API_KEY" -H "Content-Type: application/json" \\
    -d '{{"model": "nexus", "messages": [{{"role": "user", "content": "How fast does the support desk answer?"}}]}}'

make status shows the parts, make logs follows them, make down stops them.
"""
