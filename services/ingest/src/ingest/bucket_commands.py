"""`python -m ingest prepare-store` and `bucket save | restore`: for a new S3 server, and for backups."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from opskit.errors import NexusError

from ingest.adapters.s3_client import open_client
from ingest.adapters.s3_setup import make_buckets, subscribe, wait_until_it_answers
from ingest.errors import StoreRefused
from ingest.settings import Settings


def prepare_store(
    bucket: Annotated[list[str] | None, typer.Option(help="Another bucket to make; may be repeated.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the server to answer.")] = 60.0,
) -> None:
    """Make the documents' bucket, have it send its events (NEXUS_S3_EVENTS_TARGET), make other buckets."""
    settings = Settings()
    client, target = open_client(settings), settings.s3_events_target
    with _one_line_errors():
        wait_until_it_answers(client, bucket=settings.s3_bucket, seconds=wait, say=_say)
        make_buckets(client, [settings.s3_bucket, *(bucket or [])], _say)
        try:
            if target:
                subscribe(client, settings.s3_bucket, target, _say)
        except StoreRefused as exc:
            # Not a reason to hold the stack up: reconcile notices what no event tells, and /readyz says `degraded`.
            _say(f"warning: no events will come from {settings.s3_bucket}, target {target}: {exc.message}")


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except NexusError as exc:
        _say(f"error: {exc.message}")
        raise typer.Exit(1) from exc


def _say(line: str) -> None:
    typer.echo(line, err=True)
