"""The judge's own process with the real TruLens: locally, and by a server that speaks OpenAI's protocol."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from nexus_serving.embedder_model import prepare_embedder
from nexus_serving.layout import Layout
from trainer.adapters import judge_process
from trainer.adapters.judge_process import JudgeProcess
from trainer.observing.judging import Case, Verdict

pytestmark = pytest.mark.contract

QUESTION = "How often does Argo CD check Git?"
SYNC = "FAQ > Syncing\nBy default, Argo CD checks Git repositories every 3 minutes. The interval can be changed."
HELM = "Plugins\nPlugins are installed with the command helm plugin install. Each has its own folder."
GOOD = Case(
    "ans_good", QUESTION, '3 minutes. "By default, Argo CD checks Git repositories every 3 minutes." [1]', (SYNC, HELM)
)
BAD = Case("ans_bad", QUESTION, "Plugins live in a folder of 45 megabytes.", (HELM, HELM))

# The child with sockets that reach nothing but loopback, in a folder of its own.
ALONE = """
import runpy, socket, sys
connect = socket.socket.connect
def local(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1"):
        sys.stderr.write(f"LEFT THE MACHINE {address}\\n")
        raise PermissionError(address)
    connect(self, address)
socket.socket.connect = local
runpy.run_module("trainer.adapters.judging_child", run_name="__main__")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one to work in."""
    empty = tmp_path / "work"
    empty.mkdir()
    monkeypatch.chdir(empty)
    return empty


@pytest.fixture
def begin(folder: Path) -> Iterator[Callable[..., JudgeProcess]]:
    begun: list[JudgeProcess] = []

    def start(terms: dict[str, str], command: tuple[str, ...] = (sys.executable, "-c", ALONE), **more) -> JudgeProcess:
        begun.append(JudgeProcess("a judge", terms, command=command, **more))
        return begun[-1]

    yield start
    for one in begun:
        one.close()


def verdicts(judge: JudgeProcess, *cases: Case, seconds: float = 200.0) -> dict[str, Verdict]:
    """What it says of the cases, in the end."""
    for case in cases:
        judge.judge(case)
    said: dict[str, Verdict] = {}
    deadline = time.monotonic() + seconds
    while len(said) < len(cases):
        said |= {verdict.answer_id: verdict for verdict in judge.verdicts()}
        assert time.monotonic() < deadline, said
        time.sleep(0.05)
    return said


class TestLocal:
    @pytest.fixture
    def terms(self) -> dict[str, str]:
        return {"embedder": str(prepare_embedder(Layout.from_environment(), print))}

    def test_good_and_bad_answers_are_told_apart_without_network_and_without_leaving_files(
        self, begin, terms, folder, capfd
    ):
        judge = begin(terms)
        said = verdicts(judge, GOOD, BAD)
        good, bad = said["ans_good"], said["ans_bad"]
        assert good.failure is None, good.failure
        assert good.scores["groundedness"] == 1.0 > 0.5 > bad.scores["groundedness"]
        assert good.scores["answer_relevance"] > 0.7 > 0.3 > bad.scores["answer_relevance"]
        assert good.scores["context_relevance"] > 0.4 > 0.2 > bad.scores["context_relevance"]
        assert "By default, Argo CD checks Git" in good.reasons["groundedness"]
        assert "No passage has 45" in bad.reasons["groundedness"]
        assert list(folder.iterdir()) == []
        assert "LEFT THE MACHINE" not in capfd.readouterr().err

    def test_an_embedder_that_is_not_there_fails_its_cases(self, begin):
        judge = begin({"embedder": "/nowhere"})
        said = verdicts(judge, GOOD)
        assert "ended with status 1" in said["ans_good"].failure
        assert judge.room() == judge_process.AT_ONCE

    def test_it_ends_with_its_worker_whatever_it_is_at(self, terms, folder):
        child = subprocess.Popen([sys.executable, "-c", ALONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(terms).encode() + b"\n" + json.dumps(asdict(GOOD)).encode() + b"\n")
        child.stdin.close()
        assert child.wait(60) == 0
        child.stdout.close()


class Server(BaseHTTPRequestHandler):
    """Speaks OpenAI's protocol, and judges by the words in the question put to it."""

    asked: ClassVar[list[dict]] = []
    keys: ClassVar[list[str | None]] = []
    takes_schemas: ClassVar[bool] = True
    says: ClassVar[Callable[[str], str] | None] = None

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body)
        self.keys.append(self.headers["authorization"])
        if "response_format" in body and not self.takes_schemas:
            return self._answer(400, {"error": {"message": "response_format is not supported"}})
        assert Server.says is not None
        said = Server.says(body["messages"][-1]["content"])
        return self._answer(200, {"choices": [{"message": {"role": "assistant", "content": said}}]})

    def _answer(self, status: int, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(status if self.path == "/v1/chat/completions" else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Not on the test's output."""


def thoughtful(prompt: str) -> str:
    good = "3 minutes" in prompt
    return json.dumps({"criteria": "c", "supporting_evidence": "e" if good else "NOTHING FOUND", "score": 3 * good})


class TestOpenAi:
    @pytest.fixture
    def terms(self) -> Iterator[dict[str, str]]:
        Server.asked.clear(), Server.keys.clear()
        Server.takes_schemas, Server.says = True, thoughtful
        server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"base_url": f"http://127.0.0.1:{server.server_port}/v1", "model": "some-judge", "key": "sk-of-the-judge"}
        server.shutdown()
        server.server_close()

    def test_a_model_is_asked_for_each_passage_statement_and_answer(self, begin, terms, capfd):
        said = verdicts(begin(terms), GOOD)["ans_good"]
        assert said.failure is None, said.failure
        assert said.scores == {"context_relevance": 0.5, "groundedness": 1.0, "answer_relevance": 1.0}
        assert "Supporting Evidence: NOTHING FOUND" in said.reasons["context_relevance"]
        assert {body["model"] for body in Server.asked} == {"some-judge"}
        assert set(Server.keys) == {"Bearer sk-of-the-judge"}
        assert len(Server.asked) == 2 + 2 + 1
        assert all(body["response_format"]["type"] == "json_schema" for body in Server.asked)
        assert "sk-of-the-judge" not in "".join(capfd.readouterr())

    def test_a_server_that_takes_no_schema_is_asked_without(self, begin, terms):
        Server.takes_schemas = False
        said = verdicts(begin(terms), GOOD)["ans_good"]
        assert said.scores["answer_relevance"] == 1.0
        assert any("response_format" not in body for body in Server.asked)

    def test_a_model_that_talks_beside_the_point_has_not_judged(self, begin, terms):
        Server.says = lambda _: "I would rather talk about the weather."
        said = verdicts(begin(terms), GOOD)["ans_good"]
        assert said.scores == {}
        assert said.failure

    def test_what_a_model_says_is_never_run(self, begin, terms, folder):
        Server.says = lambda _: f"__import__('pathlib').Path({str(folder / 'run')!r}).touch()"
        verdicts(begin(terms), GOOD)
        assert list(folder.iterdir()) == []

    def test_a_server_that_is_away_fails_the_case(self, begin, terms, port):
        said = verdicts(begin(terms | {"base_url": f"http://127.0.0.1:{port}/v1"}), GOOD)["ans_good"]
        assert "openai-compatible request failed" in said.failure


class TestProcess:
    """With a child that needs no TruLens."""

    ECHO = (
        "import json, sys; sys.stdin.readline()\n"
        "for line in sys.stdin:\n"
        "    said = dict(answer_id=json.loads(line)['answer_id'], scores={}, reasons={}, seconds=0, failure=None)\n"
        "    print(json.dumps(said), flush=True)"
    )
    SILENT = "import time; time.sleep(600)"

    @pytest.fixture
    def child(self, begin) -> Callable[..., JudgeProcess]:
        return lambda code, **more: begin({}, (sys.executable, "-c", code), **more)

    def test_nothing_is_started_before_there_is_something_to_judge(self, child):
        judge = child("raise SystemExit(1)")
        assert judge.verdicts() == []
        assert judge.room() == judge_process.AT_ONCE

    def test_an_answer_larger_than_the_pipe_goes_through(self, child):
        judge = child(self.ECHO)
        large = Case("ans_1", "q", "a" * 2_000_000, ())
        assert set(verdicts(judge, large, seconds=30)) == {"ans_1"}

    def test_a_process_that_dies_fails_what_it_had_and_the_next_begins_anew(self, child):
        judge = child("import os, sys; sys.stdin.readline(); sys.stdin.readline(); os._exit(7)")
        assert "status 7" in verdicts(judge, GOOD, seconds=30)["ans_good"].failure
        assert "status 7" in verdicts(judge, BAD, seconds=30)["ans_bad"].failure

    def test_a_process_that_is_stuck_is_given_up(self, child):
        now = [0.0]
        judge = child(self.SILENT, clock=lambda: now[0])
        judge.judge(GOOD)
        assert judge.verdicts() == []
        now[0] += judge_process.LONGEST_SECONDS + 1
        (said,) = judge.verdicts()
        assert "said nothing" in said.failure

    def test_a_process_without_work_is_let_go(self, child):
        now = [0.0]
        before = children()  # other tests may have some that outlive them
        judge = child(self.ECHO, clock=lambda: now[0])
        verdicts(judge, GOOD, seconds=30)
        (process,) = children() - before
        now[0] += judge_process.IDLE_SECONDS + 1
        assert judge.verdicts() == []
        assert process not in children()
        assert set(verdicts(judge, BAD, seconds=30)) == {"ans_bad"}


def children() -> set[int]:
    """Processes that this one has begun and that live."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.add(int(stat.parent.name))
    return found
