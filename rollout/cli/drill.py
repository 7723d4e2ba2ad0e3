"""``rollout drill``: prove on a running site what is otherwise only believed."""

from typing import Annotated

import typer

from rollout.cli.options import InventoryPath
from rollout.inventory import default_path, load
from rollout.paths import Home

app = typer.Typer(no_args_is_help=True, help="Drills: prove on a running site what is only believed.")

Site = Annotated[str, typer.Option("--site", help="The site.")]


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="drill")


@app.callback()
def _options() -> None:
    """Drills: prove on a running site what is otherwise only believed."""


@app.command()
def restore(
    site: Site,
    inventory: InventoryPath = None,
    to: Annotated[str, typer.Option(help="Second to restore to, such as 2026-11-24T05:40:20+08.")] = "",
    query: Annotated[str, typer.Option(help="SQL that the restored database is asked.")] = "",
) -> None:
    """Restore the site's newest backup beside everything that runs, ask it, and clean up."""
    from rollout.drill import restore as run_restore  # noqa: PLC0415 - keeps `rollout --help` quick

    typer.echo(run_restore(Home(), load(inventory or default_path()), site, to, query))
