"""The llama.cpp server as a child process: started, watched, and started again when it dies."""

import json
import re
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

SERVE = Path(__file__).with_name("serve.py")
LOAD_SECONDS = 600.0
DYING_SECONDS = 2.0
KEPT_LINES = 200
_STAMP = re.compile(r"^[\d.]+\s+(?P<level>[A-Z])\s+")
_LOADING = re.compile(r"error loading model: (.+)")


class LoadFailed(Exception):
    """The model cannot be loaded; the message says why, in llama.cpp's words."""


@dataclass(frozen=True)
class Serving:
    """What is served and how: `context` tokens for each of `slots` answers at the same time. `adapter` is a LoRA in
    GGUF that changes what the model says; without one it is empty."""

    model: str
    context: int
    slots: int
    threads: int
    adapter: str = ""

    def command(self, python: str, **more: object) -> list[str]:
        return [python, "-I", str(SERVE), json.dumps({**asdict(self), **more})]


@dataclass(frozen=True)
class Address:
    """Where a running server listens, and the key that opens it."""

    host: str
    port: int
    key: str


class LlamaServer:
    """One server. `address()` gives a running one, and starts it when there is none."""

    def __init__(self, python: str, serving: Serving, say: Callable[[str], None] = lambda line: None) -> None:
        self.serving = serving
        self._python = python
        self._say = say
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._address: Address | None = None
        self._log: deque[str] = deque(maxlen=KEPT_LINES)

    def address(self) -> Address:
        """Of the running server. Raises LoadFailed."""
        with self._lock:
            if self._address is None or self._process is None or self._process.poll() is not None:
                if self._process is not None:
                    self._say(f"llama.cpp ended ({self._process.poll()}): {self.last_words()}; starting it again")
                self._start()
            assert self._address is not None
            return self._address

    def after_breaking_off(self) -> None:
        """Wait a moment for a process that broke off to be seen as dead, so that `address` starts another one."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(DYING_SECONDS)

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._process is not None, "address() starts it"
        return self._process.pid

    def last_words(self) -> str:
        """The error that it named last, or else its last line."""
        return last_words(list(self._log))

    def close(self) -> None:
        """End it."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()

    def _start(self) -> None:
        self._log.clear()
        self._process = subprocess.Popen(
            self.serving.command(self._python),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        listening = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        listening.start()
        late = threading.Timer(LOAD_SECONDS, self._process.kill)
        late.start()
        said = self._process.stdout.readline()
        late.cancel()
        if not said:
            self._process.wait()
            listening.join(5)
            raise LoadFailed(f"{Path(self.serving.model).name} cannot be loaded: {self.last_words()}")
        about = json.loads(said)
        host, _, port = about["address"].rpartition("/")[2].partition(":")
        self._address = Address(host, int(port), about["key"])

    def _listen(self, lines: "Sequence[str]") -> None:
        for line in lines:
            self._log.append(line.rstrip("\n"))
            if (stamp := _STAMP.match(line)) and stamp["level"] == "E":
                self._say(f"llama.cpp: {line[stamp.end() :].strip()}")


def check_loads(python: str, serving: Serving) -> None:
    """Load the model with a small context, and end: what is wrong with a file is known before it is to serve.

    Raises:
        LoadFailed: with the reason.
    """
    small = replace(serving, context=64, slots=1)
    done = subprocess.run(
        small.command(python, check=True), capture_output=True, text=True, timeout=LOAD_SECONDS, check=False
    )
    if done.returncode != 0:
        raise LoadFailed(f"{Path(serving.model).name} cannot be loaded: {last_words(done.stderr.splitlines())}")


def last_words(log: Sequence[str]) -> str:
    """Why llama.cpp gave up: what it said of the model, or its first error, or its last line."""
    for line in log:
        if reason := _LOADING.search(line):
            return reason.group(1)
    errors = [line[stamp.end() :] for line in log if (stamp := _STAMP.match(line)) and stamp["level"] == "E"]
    return (errors or list(log)[-1:] or ["it said nothing"])[0].strip()
