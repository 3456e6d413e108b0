"""The real server as it is started, beside a double of the gateway."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

HERE = Path(__file__).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_alive(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended at its start"
        try:
            if httpx.get(f"{url}/livez", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"{url} did not come up")


def stop(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    return process.wait(timeout=15)


@pytest.fixture(scope="module")
def gateway() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    command = ["-m", "uvicorn", "--app-dir", str(HERE), "fake_gateway:app", "--port", str(port), "--no-access-log"]
    process = subprocess.Popen([sys.executable, *command])
    wait_until_alive(url := f"http://127.0.0.1:{port}", process)
    yield url, process
    stop(process)


def environment(gateway_url: str, port: int, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEXUS_", "STREAMLIT_"))}
    return kept | {
        "NEXUS_URL": gateway_url,
        "NEXUS_API_KEY": "a-key-for-tests",
        "NEXUS_UI_PORT": str(port),
        "HOME": str(tmp_path),
    }


@pytest.fixture(scope="module")
def chatbot(gateway: tuple[str, subprocess.Popen[bytes]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    folder = tmp_path_factory.mktemp("ui")
    process = subprocess.Popen([sys.executable, "-m", "ui"], env=environment(gateway[0], port, folder), cwd=folder)
    wait_until_alive(url := f"http://127.0.0.1:{port}", process)
    yield url
    assert stop(process) in (0, -15)


def test_is_alive(chatbot):
    assert httpx.get(f"{chatbot}/livez").json() == {"status": "alive"}


def test_shows_its_metrics(chatbot):
    response = httpx.get(f"{chatbot}/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    for name in ("nexus_ui_questions_total", "nexus_ui_votes_total", "nexus_ui_gateway_call_seconds"):
        assert f"# TYPE {name}" in response.text


def test_serves_the_page_without_telemetry(chatbot):
    assert "<title>" in httpx.get(chatbot).text
    assert '"gatherUsageStats":true' not in httpx.get(f"{chatbot}/_stcore/host-config").text.replace(" ", "")


def test_refuses_to_start_without_a_key_and_says_which_variable(tmp_path):
    given = environment("http://127.0.0.1:1", free_port(), tmp_path)
    del given["NEXUS_API_KEY"]
    ended = subprocess.run([sys.executable, "-m", "ui"], env=given, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "NEXUS_API_KEY" in ended.stderr


def test_is_ready_while_the_gateway_is_there_and_says_so_when_it_is_not(chatbot, gateway):
    assert httpx.get(f"{chatbot}/readyz").json() == {"status": "ready", "checks": {"gateway": "ok"}}
    stop(gateway[1])
    response = httpx.get(f"{chatbot}/readyz")
    assert response.status_code == 503
    assert "ConnectError" in response.json()["checks"]["gateway"]
    assert response.headers["retry-after"]


def test_describes_its_doors_without_anything_from_outside(chatbot):
    assert "/readyz" in httpx.get(f"{chatbot}/openapi.json").json()["paths"]
    page = httpx.get(f"{chatbot}/docs").text
    assert "https://" not in page
    script = re.search(r'src="(/[^"]+)"', page)
    assert script
    assert httpx.get(f"{chatbot}{script[1]}").status_code == 200
