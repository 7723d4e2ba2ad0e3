"""``rollout health``."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import typer
from rich.console import Console

from rollout.cli.options import AsJson, InventoryPath, Sites
from rollout.depot.ssh import SshHost
from rollout.errors import Exit
from rollout.inventory import Site, default_path, load, select
from rollout.paths import Home
from rollout.tables import plain
from rollout.waves import gates, policy

_AT_ONCE = 16


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("health")(health)


def health(
    *,
    inventory: InventoryPath = None,
    site: Sites = None,
    as_json: AsJson = False,
) -> None:
    """Ask the hosts what a wave would ask them, now: every gate of each site, with its figure.

    Touches nothing. Exit code 1 when a gate is shut, 3 when a host does not answer.
    """
    found = load(inventory or default_path())
    rules, home = policy.load(Path(found.path)).gates, Home()

    def one(chosen: Site) -> list[gates.Verdict]:
        now = gates.look(chosen, {host.name: SshHost(host, home) for host in chosen.hosts.values()})
        # Errors are counted from one look to the next; of a single look there are none to tell.
        return [verdict for verdict in gates.judge(rules, now, now) if verdict.gate != "errors"]

    sites = select(found, site or [])
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        verdicts = dict(zip((chosen.name for chosen in sites), pool.map(one, sites), strict=True))
    if as_json:
        report = {name: [one.model_dump() for one in said] for name, said in verdicts.items()}
        typer.echo(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        _show(verdicts)
    shut = {one.gate for said in verdicts.values() for one in gates.shut(said)}
    if shut:
        raise typer.Exit(Exit.UNREACHABLE if "reachable" in shut else Exit.FINDINGS)


def _show(verdicts: dict[str, list[gates.Verdict]]) -> None:
    table = plain("site", "gate", "", "figure")
    for name, said in verdicts.items():
        for number, one in enumerate(said):
            state = "[green]open[/]" if one.open else "[bold red]shut[/]"
            table.add_row("" if number else name, one.gate, state, one.figure)
    Console(highlight=False).print(table)
