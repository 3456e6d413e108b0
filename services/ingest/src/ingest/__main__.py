"""`python -m ingest`: for operators and workflows, with the settings of the service."""

import typer
from opskit.database import open_database
from opskit.logging import configure_logging
from opskit.settings import read_settings
from opskit.starting import ends_in_one_line

from ingest.bucket_commands import bucket_cli, prepare_store
from ingest.dead_letters import DeadLetters
from ingest.settings import Settings
from ingest.step_commands import TRY_AGAIN, add_step_commands

cli = typer.Typer(help="Look after the documents.", no_args_is_help=True)
cli.command("prepare-store")(prepare_store)
cli.add_typer(bucket_cli, name="bucket")
add_step_commands(cli)


@cli.command()
def reconcile() -> None:
    """Compare store, catalogue and index thoroughly, and repair."""
    from ingest.worker import open_worker

    settings = read_settings(Settings)
    configure_logging("ingest", level=settings.log_level, json=settings.log_json)
    worker = open_worker(settings)
    report = worker.reconcile(thorough=True)
    worker.close()
    if report is None:
        raise typer.Exit(TRY_AGAIN)
    print(f"{report.noticed} changes noticed, {report.rebuilt} documents to rebuild, {report.orphans} orphans removed")


@cli.command("dead-letters")
def dead_letters() -> None:
    """List the documents that were given up."""
    engine = open_database(read_settings(Settings).ingest_database_url, migrations="ingest.migrations")
    for letter in DeadLetters(engine).all():
        print(
            f"{letter.failed_at:%Y-%m-%d %H:%M}  {letter.tenant}/{letter.knowledge_base}/{letter.key}  {letter.reason}"
        )


if __name__ == "__main__":
    with ends_in_one_line():
        cli()
