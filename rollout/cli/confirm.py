"""``rollout confirm``."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from rollout.cli.options import InventoryPath
from rollout.errors import ConfigurationError, Exit
from rollout.inventory import default_path, load, select
from rollout.paths import Home


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("confirm")(confirm)


def confirm(
    site: Annotated[str, typer.Option("--site", help="The site.")],
    inventory: InventoryPath = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> None:
    """Keep a site's release for good: what older versions need goes, and with it the way back."""
    from rollout.apply import show  # noqa: PLC0415 - keeps `rollout --help` quick
    from rollout.apply.confirm import Confirmation  # noqa: PLC0415 - as above
    from rollout.apply.ports import Ports  # noqa: PLC0415 - as above

    home, console = Home(), Console(highlight=False)
    found = load(inventory or default_path())
    (one,) = select(found, [site])
    refused = False

    def agree(points: list[str]) -> bool:
        nonlocal refused
        for point in points:
            console.print(f"  {point}", style="bold red")
        refused = not (yes or _asked(one.name))
        return not refused

    with show.shown(console) as shown:
        gone = Confirmation(home, found, shown, Ports()).confirm(one, agree)
    if gone:
        console.print(f"{one.name}: confirmed; there is no way back to older versions", style="green")
    else:
        console.print("nothing was done" if refused else f"{one.name}: nothing waits to be confirmed")
    raise typer.Exit(Exit.FINDINGS if refused else Exit.OK)


def _asked(site: str) -> bool:
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to ask", "Agree beforehand with --yes.")
    return typer.confirm(f"Afterwards {site} cannot go back to older versions. Confirm?", default=False)
