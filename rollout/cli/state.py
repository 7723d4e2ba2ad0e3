"""``rollout state export`` and ``rollout state import``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from rollout.access import scope
from rollout.apply import state
from rollout.errors import ConfigurationError
from rollout.paths import Home

PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="A file with the passphrase; asked for if none.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True, help="Back up and bring back this control node's state.")
    group.command("export")(export)
    group.command("import")(import_)
    app.add_typer(group, name="state")


def export(
    file: Annotated[Path, typer.Argument(help="The backup to write; it must not exist.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Back up keys, secrets, journal and records, encrypted. Builds and caches are left out."""
    scope.refuse("state export")
    if file.exists():
        raise ConfigurationError(f"{file}: exists already", "Name another file.")
    count = state.export(Home(), file, read_passphrase(passphrase_file, confirm=True))
    typer.echo(f"{file}: {count} files; without its passphrase nobody can read it, you neither")


def import_(
    file: Annotated[Path, typer.Argument(help="A backup that `state export` wrote.")],
    passphrase_file: PassphraseFile = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the state that is there; it is kept aside.")
    ] = False,
) -> None:
    """Bring a backup into ROLLOUT_HOME."""
    home = Home()
    names = state.restore(home, file, read_passphrase(passphrase_file, confirm=False), force=force)
    typer.echo(f"{home.root}: brought back {', '.join(names)}")
    if limited := scope.of(home.root):
        typer.echo(f"scope of {limited.name}: {', '.join(limited.sites)}, until {limited.until}")


def read_passphrase(file: Path | None, *, confirm: bool) -> str:
    """From the file, or asked for at the terminal; ConfigurationError if nobody is there."""
    if file:
        try:
            return file.read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise ConfigurationError(f"{file}: {error.strerror}") from error
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "nobody is there to ask for a passphrase", "Give one with --passphrase-file."
        )
    answer: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm)
    return answer
