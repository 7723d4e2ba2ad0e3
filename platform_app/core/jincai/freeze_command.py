"""`jincai freeze` and `jincai thaw`: stop this site's payments, let them go on; again changes nothing."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import psycopg
import typer

from jincai import plugins, settings
from jincai.errors import ConfigurationError, DatabaseUnavailableError, MigrationError
from jincai.freezing import Freeze, Freezer
from jincai.settings import without_password

CONNECT_SECONDS = 5
REASON_LEAST, REASON_MOST = 2, 200

Reason = Annotated[str, typer.Option("--reason", help="Why; shown on every page and to every asker.")]
By = Annotated[str, typer.Option("--by", help="Who; else the account at this command line.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def freeze(reason: Reason, by: By = "", as_json: AsJson = False) -> None:
    """Refuse every payment from now on; when this returns, none is on its way any more."""
    why = _reason(reason)
    with _database() as (cx, freezers):
        for freezer in freezers:
            found, before = freezer.freeze(cx, why, by or _here())
            _say("frozen", found, as_json=as_json, again=before)


def thaw(reason: Reason, by: By = "", as_json: AsJson = False) -> None:
    """Let payments go on."""
    why = _reason(reason)
    with _database() as (cx, freezers):
        for freezer in freezers:
            found = freezer.thaw(cx, why, by or _here())
            _say("thawed", found, as_json=as_json, again=found is None)


def _say(done: str, found: Freeze | None, *, as_json: bool, again: bool) -> None:
    if as_json:
        said = {"state": done, "again": again, "freeze": found and found.model_dump(mode="json")}
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    since = f" since {found.since:%Y-%m-%d %H:%M:%S %z} by {found.by}: {found.reason}" if found else ""
    typer.echo(f"{'already ' if again else ''}{done}{since}")


@contextmanager
def _database() -> Iterator[tuple[psycopg.Connection, list[Freezer]]]:
    freezers = [system.freezer for system in plugins.load() if system.freezer]
    url = settings.from_environment().owner_url
    if not url or not freezers:
        raise ConfigurationError(
            "nothing to freeze", "Set JINCAI_MIGRATION_DATABASE_URL, with jincai-payment installed."
        )
    try:
        with psycopg.connect(
            url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="jincai freeze"
        ) as cx:
            yield cx, freezers
    except psycopg.OperationalError as error:
        raise DatabaseUnavailableError(
            f"no database at {without_password(url)}: {str(error).strip()}", "Check that a primary runs."
        ) from error
    except psycopg.Error as error:
        raise MigrationError(
            str(error).strip(), "Run jincai migrate; freeze as the schema's owner, like it."
        ) from error


def _reason(given: str) -> str:
    reason = " ".join(given.split())
    if not REASON_LEAST <= len(reason) <= REASON_MOST or not reason.isprintable():
        raise ConfigurationError(
            f"--reason has {len(reason)} characters", f"Say why in {REASON_LEAST} to {REASON_MOST}."
        )
    return reason


def _here() -> str:
    return f"{getpass.getuser()} at the command line"
