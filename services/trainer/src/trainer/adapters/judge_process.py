"""The judge's own process, and how the worker speaks with it: a line of JSON for each case, one for each verdict.

It is started when there is something to judge, and ends when nothing was to be judged for a while: what TruLens and the
embedder take of memory goes with it.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import structlog

from trainer.observing.judging import Case, Verdict

log = structlog.get_logger(__name__)

AT_ONCE: Final = 8
"""Cases that are handed over before the first comes back."""
LONGEST_SECONDS: Final = 600.0
"""Without a verdict for so long, the process is taken for stuck."""
IDLE_SECONDS: Final = 600.0
COMMAND: Final = (sys.executable, "-m", "trainer.adapters.judging_child")


class JudgeProcess:
    """Satisfies `Judge`. Its callers do not wait: what is said is read when they ask for it."""

    def __init__(
        self,
        name: str,
        terms: Mapping[str, str],
        *,
        command: Sequence[str] = COMMAND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`terms` tell the process which judge it is; they go to it through its input, as a key may be among them."""
        self.name = name
        self._terms, self._command, self._clock = dict(terms), tuple(command), clock
        self._process: subprocess.Popen[bytes] | None = None
        self._cases: dict[str, Case] = {}
        self._said = b""
        self._heard_at = 0.0

    def room(self) -> int:
        """How many cases it takes now."""
        return AT_ONCE - len(self._cases)

    def judge(self, case: Case) -> None:
        """Hand over a case, to a process that is started now if there is none."""
        process = self._process or self._start()
        assert process.stdin is not None
        if not self._cases:
            self._heard_at = self._clock()
        self._cases[case.answer_id] = case
        try:
            process.stdin.write(json.dumps(asdict(case)).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            log.warning("judge_gone", judge=self.name)  # `verdicts` sees to what it leaves

    def verdicts(self) -> list[Verdict]:
        """What it came to since it was last asked. Of a process that is gone, all that it had is failed."""
        if self._process is None:
            return []
        ended = self._process.poll() is not None
        verdicts = [self._heard(line) for line in self._lines()]
        if ended:
            verdicts += self._end(f"the judge's process ended with status {self._process.returncode}")
        elif self._cases and self._clock() - self._heard_at > LONGEST_SECONDS:
            verdicts += self._end(f"the judge said nothing for {LONGEST_SECONDS:.0f} s")
        elif not self._cases and self._clock() - self._heard_at > IDLE_SECONDS:
            self._end("nothing to judge")
        return verdicts

    def close(self) -> None:
        """Let the process go."""
        if self._process is not None:
            self._end("closed")

    def _start(self) -> subprocess.Popen[bytes]:
        command = ("nice", "-n", "5", *self._command)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        process.stdin.write(json.dumps(self._terms).encode() + b"\n")
        self._process, self._said = process, b""
        log.info("judge_started", judge=self.name, process=process.pid)
        return process

    def _lines(self) -> list[bytes]:
        """Whole lines that can be read without waiting."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._said += self._process.stdout.read() or b""
        *lines, self._said = self._said.split(b"\n")
        return lines

    def _heard(self, line: bytes) -> Verdict:
        self._heard_at = self._clock()
        said: dict[str, Any] = json.loads(line)
        self._cases.pop(said["answer_id"], None)
        return Verdict(**said)

    def _end(self, why: str) -> list[Verdict]:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):  # what it was to be told still, and did not hear
                pipe.close()
        self._process = None
        log.info("judge_ended", judge=self.name, reason=why)
        lost = [Verdict(answer_id, {}, {}, failure=why) for answer_id in self._cases]
        self._cases.clear()
        return lost
