"""What Prometheus and Alertmanager are given is what they can read."""

import shutil
import subprocess

import pytest


@pytest.mark.parametrize(
    ("tool", "arguments", "file"),
    [("promtool", ("check", "config"), "prometheus.yml"), ("amtool", ("check-config",), "alertmanager.yml")],
)
def test_the_rendered_file_passes_its_own_tool(stack, secrets, tool, arguments, file):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed; make setup installs it")
    rendered = stack.state / "monitoring" / file
    done = subprocess.run([tool, *arguments, rendered], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_and_worker_is_scraped(stack, secrets):
    text = (stack.state / "monitoring" / "prometheus.yml").read_text()
    for part in ("gateway", "rag", "ingest", "trainer", "alert-bridge", "ui", "ingest-worker", "trainer-worker"):
        assert f'targets: ["{stack.address(part)}"]' in text
    assert str(stack.state / "monitoring" / "rules") in text
