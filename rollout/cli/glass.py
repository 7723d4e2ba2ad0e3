"""``rollout glass``: what must be done everywhere at once."""

import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from rollout.access import scope
from rollout.apply.journal import opened
from rollout.cli.options import InventoryPath, Sites
from rollout.errors import ConfigurationError, Exit
from rollout.glass import freeze as freezing
from rollout.glass import look
from rollout.glass.bundle import Collector, folder
from rollout.glass.fabric_host import FabricHost
from rollout.glass.fan import Outcome, exit_of, fan_out, look_at
from rollout.inventory import Site, default_path, load, select
from rollout.paths import Home
from rollout.tables import plain

app = typer.Typer(no_args_is_help=True, help="Break-glass: what must be done at every site at once.")

Reason = Annotated[
    str, typer.Option("--reason", help="Why; people at the sites read it, the journal keeps it.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only look: can each site be reached, how is it now.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
_STYLE = {"done": "green", "already": "green", "seen": "green", "failed": "red", "unreachable": "bold red"}


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="glass")


@app.command()
def freeze(
    reason: Reason,
    *,
    inventory: InventoryPath = None,
    site: Sites = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Stop payments: when a site is done, none is on its way there. Exit 3 if a site was not reached."""
    _payments("freeze", reason, _sites(inventory, site), dry_run=dry_run, yes=yes)


@app.command()
def thaw(
    reason: Reason,
    *,
    inventory: InventoryPath = None,
    site: Sites = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Let payments go on."""
    _payments("thaw", reason, _sites(inventory, site), dry_run=dry_run, yes=yes)


@app.command()
def bundle(
    out: Annotated[Path, typer.Option("--out", help="Folder for one archive of each host.")],
    *,
    inventory: InventoryPath = None,
    site: Sites = None,
    dry_run: DryRun = False,
) -> None:
    """Collect logs and states for a supporter, without secrets and personal data. Changes nothing."""
    home, sites = Home(), _sites(inventory, site)
    if dry_run:
        _dry_run("collect", sites, home)
    with opened(home.journal) as journal:
        collector = Collector(home, folder(out), journal, lambda host: FabricHost(host, home))
        outcomes = fan_out(journal, "glass bundle", sites, collector.at)
    _show(outcomes)
    raise typer.Exit(exit_of(outcomes))


@app.command()
def rotate(
    secret: Annotated[
        str, typer.Argument(help="Such as jincai_app; what there is, is said for a wrong one.")
    ],
    site: Annotated[list[str], typer.Option("--site", help="A site; repeat for several.")],
    *,
    inventory: InventoryPath = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Renew a secret, one site after the other. A run that was stopped goes on; exit 4 if one failed."""
    from rollout.apply import show  # noqa: PLC0415 - freezing must not wait for Ansible to be imported
    from rollout.glass.rotate import Rotator  # noqa: PLC0415 - as above
    from rollout.secrets import rotation  # noqa: PLC0415 - as above

    scope.refuse("glass rotate")
    rotation.check(secret)
    home = Home()
    found = load(inventory or default_path())
    sites = select(found, site)
    if dry_run:
        _dry_run(f"renew {secret}", sites, home)
    if not _agreed(f"renew {secret}", sites, yes=yes):
        raise typer.Exit(Exit.FINDINGS)
    with show.shown(Console(highlight=False)) as shown:
        rotator = Rotator(home, found, secret, shown, lambda host: FabricHost(host, home))
        done = [rotator.at(one) for one in sites]
    for said in done:
        typer.echo(said)


def _payments(
    verb: Literal["freeze", "thaw"], reason: str, sites: list[Site], *, dry_run: bool, yes: bool
) -> None:
    scope.refuse(f"glass {verb}")
    why, home = freezing.checked(reason), Home()
    if dry_run:
        _dry_run(f"{verb} payments", sites, home)
    if not _agreed(f"{verb} payments", sites, yes=yes):
        raise typer.Exit(Exit.FINDINGS)
    work = freezing.work(verb, why, lambda host: FabricHost(host, home))
    with opened(home.journal) as journal:
        outcomes = fan_out(journal, f"glass {verb}", sites, work, why)
    _show(outcomes)
    raise typer.Exit(exit_of(outcomes))


def _sites(inventory: Path | None, names: list[str] | None) -> list[Site]:
    return select(load(inventory or default_path()), names or [])


def _dry_run(what: str, sites: list[Site], home: Home) -> NoReturn:
    """Where it would be done: every site is reached the same way, and only asked how it is."""
    _announce(what, sites)
    outcomes = look_at(sites, look.through_a_minicomputer(lambda host: FabricHost(host, home)))
    _show(outcomes)
    typer.echo("nothing was done (--dry-run)")
    raise typer.Exit(exit_of(outcomes))


def _announce(what: str, sites: list[Site]) -> None:
    names = ", ".join(site.name for site in sites)
    typer.echo(f"{what} at {len(sites)} site{'s' if len(sites) > 1 else ''}: {names}")


def _agreed(what: str, sites: list[Site], *, yes: bool) -> bool:
    """Whether to go on; a person types how many sites it is about."""
    _announce(what, sites)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to ask", "Agree beforehand with --yes.")
    typed: str = typer.prompt("Type the number of sites to go on", default="", show_default=False)
    if typed.strip() != str(len(sites)):
        typer.echo("nothing was done")
        return False
    return True


def _show(outcomes: list[Outcome]) -> None:
    table = plain("site", "", "what", "seconds", numbers={"seconds"})
    for one in outcomes:
        state = f"[{_STYLE[one.state]}]{one.state}[/]"
        table.add_row(one.site, state, escape(one.detail), f"{one.seconds:.1f}")
    Console(highlight=False).print(table)
    left = [one.site for one in outcomes if one.state in {"failed", "unreachable"}]
    if left:
        typer.echo(f"NOT done at {', '.join(left)}; doing it again is safe everywhere", err=True)
