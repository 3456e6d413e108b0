"""The command line: `python -m gateway keys create|list|revoke`, `python -m gateway openapi`."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from opskit.database import open_database
from opskit.identity import NAME_PATTERN
from opskit.settings import read_settings
from opskit.starting import ends_in_one_line
from pydantic import SecretStr, TypeAdapter, ValidationError
from pydantic.types import StringConstraints

from gateway.adapters.sql import SqlKeys
from gateway.app import create_app
from gateway.keys import SCOPES, KeyRecord, Scope, is_key_id, issue
from gateway.settings import DatabaseSettings, Settings

app = typer.Typer(no_args_is_help=True, help="The gateway's own tools.")
keys = typer.Typer(no_args_is_help=True, help="API keys, straight in the gateway's database.")
app.add_typer(keys, name="keys")

_TENANT = TypeAdapter(Annotated[str, StringConstraints(pattern=NAME_PATTERN)])


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    nobody = Settings(internal_token=SecretStr("only-describing-itself"), bootstrap_key=None)
    typer.echo(json.dumps(create_app(nobody).openapi(), indent=2, ensure_ascii=False))


@keys.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    tenant: Annotated[str, typer.Option(help="Whose documents it opens.")],
    scope: Annotated[list[str], typer.Option(help=f"Any of {', '.join(SCOPES)}; may be given several times.")],
) -> None:
    """Make a key and print it, this once."""
    try:
        scopes: list[Scope] = TypeAdapter(list[Scope]).validate_python(scope)
        issued = issue(name=name, tenant=_TENANT.validate_python(tenant), scopes=scopes, now=datetime.now(UTC))
    except ValidationError as exc:
        raise typer.BadParameter("; ".join(str(error["msg"]) for error in exc.errors())) from exc
    _store().put(issued.record)
    typer.echo(issued.secret)


@keys.command("list")
def list_keys() -> None:
    """Show all keys, without their secrets."""
    for record in _store().list():
        typer.echo(_line(record))


@keys.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The id as `list` shows it, key_…")]) -> None:
    """Close a key for ever; running gateways notice within seconds."""
    record = _store().revoke(key_id, datetime.now(UTC)) if is_key_id(key_id) else None
    if record is None:
        typer.echo(f"There is no key {key_id}.", err=True)
        raise typer.Exit(1)
    typer.echo(_line(record))


def _store() -> SqlKeys:
    return SqlKeys(open_database(read_settings(DatabaseSettings).gateway_database_url, migrations="gateway.migrations"))


def _line(record: KeyRecord) -> str:
    state = f"revoked {record.revoked_at:%Y-%m-%d %H:%M}" if record.revoked_at else "active"
    return f"{record.id}  {record.tenant}  {','.join(sorted(record.scopes))}  {state}  {record.name}"


if __name__ == "__main__":
    with ends_in_one_line():
        app(prog_name="python -m gateway")
