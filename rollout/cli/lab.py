"""``rollout lab``: real hosts on this machine, to try everything on."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from rollout.errors import RolloutError
from rollout.inventory import load
from rollout.lab import HostStatus, Lab
from rollout.lab.parallel import Progress
from rollout.paths import Home, content
from rollout.tables import plain

app = typer.Typer(no_args_is_help=True, help="Real Debian hosts on this machine, to try everything on.")

Sites = Annotated[list[str] | None, typer.Option("--site", help="A site; repeat for several.")]
InventoryPath = Annotated[
    Path | None, typer.Option("-i", "--inventory", help="Folder with hosts.yml; else inventory/lab.")
]
StateName = Annotated[str, typer.Option("--name", help="Name of the saved state.")]


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="lab")


@app.command()
def up(site: Sites = None, inventory: InventoryPath = None) -> None:
    """Bring sites up (nanning if none is named); what stands already stays."""
    found = load(inventory or content() / "inventory" / "lab")
    with _watched() as progress:
        Lab(Home(), found, progress).up(site or ["nanning"])


@app.command()
def down(
    site: Sites = None,
    purge: Annotated[bool, typer.Option("--purge", help="Also delete disks and saved states.")] = False,
) -> None:
    """Shut sites down (all if none is named); their disks stay unless --purge."""
    with _watched() as progress:
        lab = Lab(Home(), progress=progress)
        lab.down(_named(site, lab.known()), purge=purge)


@app.command()
def save(site: Sites = None, name: StateName = "saved") -> None:
    """Save the disks of sites (all standing) under a name."""
    with _watched() as progress:
        lab = Lab(Home(), progress=progress)
        lab.save(_named(site, lab.standing()), name)


@app.command()
def restore(site: Sites = None, name: StateName = "saved") -> None:
    """Put sites (all standing) back to a saved state; "bare" is the state of delivery."""
    with _watched() as progress:
        lab = Lab(Home(), progress=progress)
        lab.restore(_named(site, lab.standing()), name)


@app.command()
def status(site: Sites = None) -> None:
    """Show every host of the lab and the saved states of every site."""
    console, lab = Console(), Lab(Home())
    names = site or lab.known()
    if not names:
        console.print("No site was brought up; rollout lab up brings up nanning.")
        return
    table = plain("site", "host", "address", "state", "memory", numbers={"memory"})
    for row in lab.status(names):
        memory = f"{row.memory_bytes // 2**20} MiB" if row.memory_bytes is not None else ""
        table.add_row(row.site, row.host, row.address, _state(row), memory)
    console.print(table)
    for name in names:
        console.print(f"{name} can be restored to: {', '.join(lab.site(name).saved())}", highlight=False)


def _state(row: HostStatus) -> str:
    if not row.running:
        return "down"
    if row.link_cut:
        return "up, network cable cut"
    return "up" if row.answers else "up, no ssh"


def _named(sites: list[str] | None, default: list[str]) -> list[str]:
    found = sites or default
    if not found:
        typer.echo("Nothing to do: no site of the lab stands.", err=True)
    return found


@contextmanager
def _watched() -> Iterator[Progress]:
    """One line per host, redrawn on a terminal and printed once per change elsewhere."""
    console = Console(stderr=True)
    begun = time.monotonic()
    if not console.is_terminal:
        yield lambda host, what: console.print(
            f"{time.monotonic() - begun:6.1f} s  {host}: {what}", soft_wrap=True
        )
        return
    lines: dict[str, str] = {}

    def table() -> Table:
        grid = Table.grid(padding=(0, 2))
        for host, what in sorted(lines.items()):
            grid.add_row(host, what)
        return grid

    with Live(console=console, get_renderable=table, refresh_per_second=8):
        yield lines.__setitem__


def main() -> None:
    """Runs the sub-command alone, with errors as the whole tool shows them."""
    try:
        app()
    except RolloutError as error:
        Console(stderr=True).print(str(error), markup=False, soft_wrap=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
