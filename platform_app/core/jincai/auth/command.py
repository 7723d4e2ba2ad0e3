"""`jincai account` and `jincai key`: who may log in, and which outside systems may ask."""

import getpass
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import psycopg
import typer

from jincai import settings
from jincai.auth import accounts, keys, passwords
from jincai.auth.roles import PERMISSIONS, ROLES
from jincai.errors import ConfigurationError, DatabaseUnavailableError, JincaiError, MigrationError
from jincai.settings import without_password

CONNECT_SECONDS = 5
DIVISION = r"[1-9][0-9]{5}"

account = typer.Typer(name="account", help="People: who may log in.", no_args_is_help=True)
key = typer.Typer(name="key", help="Outside systems: API keys.", no_args_is_help=True)

Divisions = Annotated[
    list[str] | None, typer.Option("--division", help="Six digits; a city covers its counties. None: all.")
]
Why = Annotated[str, typer.Option("--why", help="The reason, for the audit trail.")]


@account.command("add")
def add_account(
    login: Annotated[str, typer.Argument(help="Log-in name.")],
    *,
    name: Annotated[str, typer.Option(help="The person's name.")],
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(ROLES)}.")],
    division: Divisions = None,
    agency: Annotated[list[str] | None, typer.Option(help="Unit; a unit's roles need one.")] = None,
    why: Why = "",
) -> None:
    """Make an account; asks for the password, or reads it from standard input."""
    granted = accounts.grants(role, _divisions(division) or [], agency or [])
    kept = passwords.hashed(_password())
    with _database() as cx:
        accounts.add(cx, login, name, kept, granted, by=_by(), why=why)
    typer.echo(f"account {login}: {', '.join(role)}")


@account.command("list")
def list_accounts() -> None:
    """Print the accounts, one a line: log-in name, name, state, roles."""
    with _database() as cx:
        for one in accounts.every(cx):
            state = "locked" if not one.active else "shut out" if one.shut_out else "active"
            typer.echo("\t".join((one.login, one.name, state, one.grants)))


@account.command("lock")
def lock_account(login: str, why: Why = "") -> None:
    """Let the account in no more and end its sessions."""
    with _database() as cx:
        accounts.switch(cx, login, active=False, by=_by(), why=why)


@account.command("unlock")
def unlock_account(login: str, why: Why = "") -> None:
    """Let the account in again, also after failed tries."""
    with _database() as cx:
        accounts.switch(cx, login, active=True, by=_by(), why=why)


@account.command("password")
def renew_password(login: str, why: Why = "") -> None:
    """Give the account a new password and end its sessions."""
    password = _password()
    with _database() as cx:
        accounts.set_password(cx, login, password, by=_by(), why=why)


@account.command("oidc")
def link_account(
    login: str,
    subject: Annotated[
        str | None, typer.Argument(help="What the identity provider calls the person.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the present one away.")] = False,
    why: Why = "",
) -> None:
    """Say who of the identity provider's people the account is; ends its sessions."""
    if (subject is None) != remove:
        raise ConfigurationError("a subject or --remove is needed, one of the two")
    with _database() as cx:
        accounts.link(cx, login, subject, by=_by(), why=why)


@key.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Which system it is for; entries carry it as their maker.")],
    permission: Annotated[list[str], typer.Option(help=f"One of {', '.join(PERMISSIONS)}.")],
    days: Annotated[int, typer.Option(min=1, max=keys.DAYS_MOST, help="How long it is good.")],
    division: Divisions = None,
) -> None:
    """Make a key and print it, this once: only its digest is kept."""
    codes = _divisions(division)
    with _database() as cx:
        made = keys.add(cx, name, permission, divisions=codes, days=days, by=_by())
    typer.echo(made)


@key.command("revoke")
def revoke_key(name: str) -> None:
    """Make a key worthless at once."""
    with _database() as cx:
        keys.revoke(cx, name, by=_by())


@contextmanager
def _database() -> Iterator[psycopg.Connection]:
    url = settings.from_environment().auth_database_url
    if not url:
        raise ConfigurationError(
            "no database with accounts", "Set JINCAI_AUTH_DATABASE_URL, as in the service's environment."
        )
    try:
        with psycopg.connect(
            url,
            connect_timeout=CONNECT_SECONDS,
            application_name="jincai account",
            options="-c lock_timeout=10s",
        ) as cx:
            yield cx
    except psycopg.Error as error:
        raise _failed(url, error) from error


def _failed(url: str, error: psycopg.Error) -> JincaiError:
    said = str(error).strip()
    if isinstance(error, psycopg.OperationalError):
        return DatabaseUnavailableError(
            f"no database at {without_password(url)}: {said}", "Check the address."
        )
    if isinstance(error, psycopg.IntegrityError | psycopg.DataError):
        return ConfigurationError(said, "Nothing was changed.")
    return MigrationError(
        said, "Run jincai migrate, and give JINCAI_AUTH_DATABASE_URL the role that it names."
    )


def _divisions(given: list[str] | None) -> list[str] | None:
    for code in given or []:
        if not re.fullmatch(DIVISION, code):
            raise ConfigurationError(f"{code!r} is no division", "A code has six digits, such as 450100.")
    return given or None


def _password() -> str:
    """From a terminal twice, unseen; from a pipe its first line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise ConfigurationError("the two passwords differ", "Nothing was changed; try again.")
    return password


def _by() -> str:
    """Who runs this, for the record."""
    return f"{getpass.getuser()} at the command line"
