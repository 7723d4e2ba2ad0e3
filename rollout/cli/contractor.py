"""``rollout contractor``: who works at which cities, until when."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rollout.access import contractors, scope
from rollout.access.model import end_of
from rollout.apply.journal import opened
from rollout.cli.options import InventoryPath
from rollout.cli.state import PassphraseFile, read_passphrase
from rollout.clock import now
from rollout.errors import ConfigurationError
from rollout.inventory import default_path, load, select
from rollout.paths import Home
from rollout.tables import plain

app = typer.Typer(no_args_is_help=True, help="Contractors: who opens exactly which cities, until when.")

Name = Annotated[str, typer.Argument(help="Such as gl-tech: letters, digits, dashes.")]


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="contractor")


@app.command()
def add(
    name: Name,
    site: Annotated[list[str], typer.Option("--site", help="A city; repeat for several.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day, in China.")],
    *,
    key: Annotated[Path | None, typer.Option(help="Their public SSH key; else a pair is made here.")] = None,
    inventory: InventoryPath = None,
) -> None:
    """Name a contractor, or give one other cities and another day. It takes effect with the next apply."""
    scope.refuse("contractor add")
    home = Home()
    sites = select(load(inventory or default_path()), site)
    with opened(home.journal) as journal:
        run = journal.begin("contractor add", [one.name for one in sites])
        try:
            made = contractors.add(home, name, sites, until.date(), _read(key) if key else "")
        except BaseException as error:
            journal.end(run, "failed", str(error))
            raise
        journal.end(run, "done", f"{name}: {', '.join(made.sites)} until {made.until}")
    typer.echo(
        f"{name}: {', '.join(made.sites)} until {made.until}; their hosts know it after the next apply"
    )


@app.command("list")
def show() -> None:
    """List contractors, also those that are over."""
    scope.refuse("contractor list")
    table = plain("name", "sites", "until", "", "added")
    for one in contractors.load(Home()):
        state = "removed" if one.removed_at else "over" if now() >= end_of(one.until) else "works"
        added = f"{one.added_at:%Y-%m-%d} by {one.added_by}"
        table.add_row(one.name, ", ".join(one.sites), f"{one.until}", state, added)
    Console(highlight=False).print(table)


@app.command()
def remove(name: Name) -> None:
    """End a contractor now. Apply to take the key off the hosts; after its day sshd refuses it anyway."""
    scope.refuse("contractor remove")
    home = Home()
    with opened(home.journal) as journal:
        run = journal.begin("contractor remove", contractors.find(home, name).sites)
        gone = contractors.remove(home, name)
        journal.end(run, "done", name)
    typer.echo(f"{name}: ended; now apply {' '.join(f'--site {one}' for one in gone.sites)}")


@app.command()
def export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    *,
    inventory: InventoryPath = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Write what makes a control node for exactly this contractor's cities: for `rollout state import`."""
    from rollout.access.export import export as write  # noqa: PLC0415 - keeps `rollout --help` quick

    scope.refuse("contractor export")
    if file.exists():
        raise ConfigurationError(f"{file}: exists already", "Name another file.")
    home = Home()
    one = contractors.find(home, name)
    found = load(inventory or default_path())
    passphrase = read_passphrase(passphrase_file, confirm=True)
    with opened(home.journal) as journal:
        run = journal.begin("contractor export", one.sites)
        try:
            write(home, found, one, file, passphrase)
        except BaseException as error:
            journal.end(run, "failed", str(error))
            raise
        journal.end(run, "done", f"{name}: {file.name}")
    typer.echo(
        f"{file}: {', '.join(one.sites)} until {one.until}, for {name}. There: rollout state import FILE,"
    )
    typer.echo("rollout release import BUNDLE; the passphrase goes another way than the file")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: not a public key file: {error}") from error
