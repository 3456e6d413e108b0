"""`python -m ingest prepare-store` and `bucket save | restore`: for a new S3 server, and for backups."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer
from opskit.settings import read_settings

from ingest.adapters import bucket_archive
from ingest.adapters.s3_client import open_client
from ingest.adapters.s3_setup import make_bucket, subscribe, wait_until_it_answers
from ingest.errors import StoreRefused
from ingest.settings import Settings


def prepare_store(
    wait: Annotated[float, typer.Option(help="Seconds to wait for the server to answer.")] = 60.0,
) -> None:
    """Make the documents' bucket, and have it send its events (NEXUS_S3_EVENTS_TARGET)."""
    settings = read_settings(Settings)
    client, target = open_client(settings), settings.s3_events_target
    wait_until_it_answers(client, bucket=settings.s3_bucket, seconds=wait, say=_say)
    make_bucket(client, settings.s3_bucket, _say)
    try:
        if target:
            subscribe(client, settings.s3_bucket, target, _say)
    except StoreRefused as exc:
        # Not a reason to hold the stack up: reconcile notices what no event tells, and /readyz says `degraded`.
        _say(f"warning: no events will come from {settings.s3_bucket}, target {target}: {exc.message}")


bucket_cli = typer.Typer(help="Save a bucket as a tar stream, and restore it.", no_args_is_help=True)


@bucket_cli.command()
def save(
    bucket: Annotated[str, typer.Argument(help="Any bucket that the keys may read.")],
    archive: Annotated[str, typer.Argument(help="A file; - is standard output.")] = "-",
) -> None:
    """Write all objects of the bucket, with content type and metadata, into one tar archive."""
    client = open_client(read_settings(Settings))
    with _file_errors(), _written(archive) as out:
        done = bucket_archive.save(client, bucket, out, _say)
    _say(f"saved {bucket}: {done.objects:,} objects, {done.bytes / 1e6:,.1f} MB")


@bucket_cli.command()
def restore(
    bucket: Annotated[str, typer.Argument(help="Made when it is missing.")],
    archive: Annotated[str, typer.Argument(help="A file; - is standard input.")] = "-",
    delete_others: Annotated[bool, typer.Option(help="Remove objects that are not in the archive.")] = False,
) -> None:
    """Put back the objects of an archive. One that is there as it was is left alone."""
    client = open_client(read_settings(Settings))
    with _file_errors(), _read(archive) as source:
        done = bucket_archive.restore(client, bucket, source, _say, delete_others=delete_others)
    told = f"{done.objects:,} objects, {done.unchanged:,} of them were there already, {done.deleted:,} others deleted"
    _say(f"restored {bucket}: {told}")


@contextmanager
def _written(archive: str) -> Iterator[IO[bytes]]:
    """A file appears when it is whole."""
    if archive == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{archive}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(archive)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _read(archive: str) -> Iterator[IO[bytes]]:
    if archive == "-":
        yield sys.stdin.buffer
        return
    with Path(archive).open("rb") as source:
        yield source


@contextmanager
def _file_errors() -> Iterator[None]:
    """Of the archive's file. The store's are errors of ours, which end every command in one line."""
    try:
        yield
    except OSError as exc:
        sys.exit(str(exc))


def _say(line: str) -> None:
    typer.echo(line, err=True)
