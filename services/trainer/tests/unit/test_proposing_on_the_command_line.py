"""`python -m trainer propose`, as far as it goes before anything is asked of anybody."""

import pytest
from trainer.__main__ import cli
from typer.testing import CliRunner


def propose(tmp_path, content: str | bytes):
    file = tmp_path / "better.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return CliRunner().invoke(cli, ["propose", "--settings", str(file)])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("retrieval: [", "cannot be read"),
        (b"\xff\xfe\xff", "cannot be read"),
        ("", "settings: Input should be a valid dictionary"),
        ("{}", "at least 1 item"),
        ("version: 1", "'prompt' or 'retrieval'"),
        ("retrieval: 3", "settings.retrieval"),
        ("retrieval: {dense_weight: .nan}", "not JSON compliant"),
        ("prompt: {instructions: 2026-11-20}", "settings.prompt.instructions"),
        ('prompt: {instructions: "a\\0b"}', "not text"),
    ],
)
def test_a_file_that_is_no_proposal_is_refused_in_one_line(tmp_path, content, why):
    result = propose(tmp_path, content)
    assert result.exit_code == 1
    assert why in result.output
    assert "Traceback" not in result.output
    assert result.output.startswith("trainer: ")


def test_a_file_that_is_not_there_is_named(tmp_path):
    result = CliRunner().invoke(cli, ["propose", "--settings", str(tmp_path / "nowhere.yaml")])
    assert result.exit_code == 2
