"""What a step says of an error: worth another try only where it passes."""

import os
import sys
from types import SimpleNamespace

import pytest
from ingest.__main__ import cli
from ingest.step_commands import MISTAKE
from opskit.errors import Unavailable
from sqlalchemy.exc import IntegrityError, OperationalError
from typer.testing import CliRunner


class FailingWorker:
    """Its steps cannot be had."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @property
    def steps(self) -> None:
        raise self._error

    def close(self) -> None:
        """Nothing was opened."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("Milvus is away."), os.EX_TEMPFAIL),
        (OperationalError("SELECT", {}, ValueError("the connection was lost")), os.EX_TEMPFAIL),
        (IntegrityError("INSERT", {}, ValueError("no such value")), MISTAKE),
    ],
)
def test_only_what_is_away_is_to_be_tried_again(monkeypatch, error, code):
    monkeypatch.setenv("NEXUS_INTERNAL_TOKEN", "an-internal-token-of-length")
    # The module makes its Celery app when it is imported, which no other test here is to see.
    monkeypatch.setitem(sys.modules, "ingest.worker", SimpleNamespace(open_worker=lambda _: FailingWorker(error)))
    done = CliRunner().invoke(cli, ["remove-document", "--object", "acme/default/a.md"])
    assert done.exit_code == code
