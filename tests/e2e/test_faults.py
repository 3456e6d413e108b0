"""What breaks is named, is told with 503 and Retry-After, and mends by itself. Runs last: it harms the stack."""

import re
import socket
import subprocess
import sys
import threading

import httpx
import psutil
import pytest

from tests.e2e.clients import Nexus
from tests.e2e.library import long_document
from tests.e2e.stack import ROOT, Stack, free_offset
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

QUESTION = "How long is the warranty of the Otter 3?"


def ready(client: Nexus) -> httpx.Response:
    return client.http.get("/readyz")


def is_well(client: Nexus) -> bool:
    return ready(client).status_code == 200 and client.http.get("/v1/status").json()["status"] == "ready"


@pytest.fixture
def well(own_stack: Stack, shelf: Nexus) -> Nexus:
    """A client of a stack that is well before the fault."""
    until(lambda: is_well(shelf), "the stack is well", seconds=60)
    return shelf


@pytest.mark.parametrize(("part", "named"), [("milvus", "milvus"), ("triton-grpc", "triton"), ("rag", "rag")])
def test_without_a_part_that_answers_need_it_is_told_which_and_comes_back(
    own_stack: Stack, well: Nexus, part: str, named: str
) -> None:
    told: list[httpx.Response] = []
    unready: list[str] = []

    def ask_until_it_fails() -> bool:
        response = well.chat(QUESTION)
        if response.status_code != 200:
            told.append(response)
        probe = ready(well)
        if probe.status_code == 503:
            unready.append(probe.text)
        return bool(told) and any(named in text for text in unready)

    own_stack.kill(part)
    until(ask_until_it_fails, f"{part} is missed", seconds=20, every=0.02)
    for response in told:
        assert response.status_code == 503, response.text
        assert int(response.headers["retry-after"]) >= 1
        assert response.json()["error"]["message"]
    until(lambda: well.chat(QUESTION).status_code == 200, "answers are back", seconds=60)
    assert not well.ask(QUESTION).abstained, "everything that was indexed is still there"
    until(lambda: is_well(well), "all is well again", seconds=60)


def test_a_part_that_died_is_started_again_and_status_says_so(embedded_stack: Stack, well: Nexus) -> None:
    before = embedded_stack.kill("alert-bridge")

    def successor() -> psutil.Process | None:
        found = embedded_stack.process("alert-bridge")
        return found if found and found.pid != before else None

    after = until(successor, "alert-bridge is back", seconds=30)
    until(lambda: is_well(well), "all is well again", seconds=60)
    row = re.search(r"^alert-bridge\s+ready\s+(\d+)\s+(\d+)", embedded_stack.make("status").stdout, re.MULTILINE)
    assert row
    assert int(row[1]) == after.pid
    assert int(row[2]) >= 1


def test_without_redis_documents_are_taken_answers_are_given_and_the_queue_catches_up(
    own_stack: Stack, well: Nexus, desk: Nexus
) -> None:
    stop = threading.Event()
    failures: list[str] = []

    def keep_asking() -> None:
        with Nexus(well.url, well.key, base=well.base) as client:
            while not stop.is_set():
                response = client.chat(QUESTION)
                if response.status_code != 200:
                    failures.append(response.text)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    own_stack.kill("redis")
    put = desk.put("meanwhile.md", "# Buoys\n\nThe green buoy of Skagen blinks every seven seconds.\n")
    assert put.status_code == 202, put.text
    desk.wait_for("meanwhile.md", "indexed", seconds=60)
    stop.set()
    asking.join()
    assert not failures
    assert "seven" in desk.ask("How often does the green buoy of Skagen blink?").text


def test_a_worker_killed_in_the_middle_of_a_document_loses_and_doubles_nothing(
    own_stack: Stack, well: Nexus, desk: Nexus
) -> None:
    undisturbed = desk.add("undisturbed.md", long_document(7, 300), seconds=120)
    book = long_document(8, 300)
    desk.put("book.md", book)
    desk.wait_for("book.md", "indexing")
    own_stack.kill("ingest-worker")
    done = desk.wait_for("book.md", "indexed", seconds=120)
    assert abs(done["chunks"] - undisturbed["chunks"]) <= 3, "the same number of sections"
    hits = desk.search("number 8150-2", top_k=50)
    assert len({hit["chunk_id"] for hit in hits}) == len(hits)
    texts = [hit["text"] for hit in hits if hit["document"] == "book.md"]
    assert len(set(texts)) == len(texts), "no passage twice"
    again = desk.put("book.md", book)
    assert again.status_code == 202
    assert desk.wait_for("book.md", "indexed")["chunks"] == done["chunks"]


def test_a_port_that_is_taken_is_named_in_one_line_that_says_what_to_do(embedded_stack: Stack, tmp_path) -> None:
    offset = free_offset()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 8080 + offset))
        squatter.listen()
        environment = {
            **embedded_stack.command_environment,
            "NEXUS_STATE_DIR": str(tmp_path),
            "NEXUS_PORT_OFFSET": str(offset),
        }
        refused = subprocess.run(
            [sys.executable, "-m", "embedded", "up"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert refused.returncode == 1
    (line,) = refused.stderr.strip().splitlines()
    assert f"Port {8080 + offset} (gateway) is taken" in line
    assert "NEXUS_PORT_OFFSET" in line


def test_down_and_up_again_keeps_documents_answers_and_keys(embedded_stack: Stack, well: Nexus) -> None:
    made = well.new_key("chat", name="kept over a restart")
    answer = well.ask(QUESTION)
    assert embedded_stack.make("down").returncode == 0
    assert embedded_stack.processes() == []
    asked = embedded_stack.make("status")
    assert asked.returncode != 0
    assert "not running" in asked.stdout
    assert embedded_stack.make("up", seconds=180).returncode == 0
    with Nexus(well.url, made["key"], base=well.base) as client:
        assert client.ask(QUESTION).text == answer.text
    assert well.vote(answer.id, "up").status_code == 201
