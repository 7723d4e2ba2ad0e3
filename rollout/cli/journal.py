"""``rollout journal``: what was done, by whom, from where."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.markup import escape

from rollout.apply import history
from rollout.apply.journal import Run, opened
from rollout.apply.lease import node_id
from rollout.cli.options import AsJson, InventoryPath
from rollout.depot.ssh import SshHost
from rollout.errors import ApplyError, Exit, UnreachableError
from rollout.inventory import Site, default_path, load, select
from rollout.paths import Home
from rollout.tables import plain


class Row(BaseModel):
    """A run; ``from_here``: of this control node. ``outcome`` None: it goes on, or was killed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    verb: str
    sites: list[str]
    release: str | None
    who: str
    from_host: str
    from_here: bool
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    error: str | None


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("journal")(journal)


def journal(
    *,
    inventory: InventoryPath = None,
    site: Annotated[
        list[str] | None,
        typer.Option(
            "--site", help="Also ask this site's storage device, where other control nodes' runs are."
        ),
    ] = None,
    newest: Annotated[int, typer.Option(min=1, max=2000, help="How many.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show what was done, newest first: from here, and with --site by other control nodes there, too."""
    home = Home()
    sites = select(load(inventory or default_path()), site) if site else []
    with opened(home.journal) as kept:
        rows = {run.id: _of_run(run) for run in kept.runs(2000) if _concerns(run, sites)}
    silent = _add_of_sites(home, sites, rows, newest)
    shown = sorted(rows.values(), key=lambda row: row.started_at, reverse=True)[:newest]
    if as_json:
        typer.echo(json.dumps([row.model_dump(mode="json") for row in shown], ensure_ascii=False, indent=1))
    else:
        _table(shown)
    for name, why in silent.items():
        typer.echo(f"{name}: its own list could not be read: {why}", err=True)
    raise typer.Exit(Exit.UNREACHABLE if silent else Exit.OK)


def _add_of_sites(home: Home, sites: list[Site], rows: dict[str, Row], newest: int) -> dict[str, str]:
    """Adds what the sites know and this journal does not; sites that could not be asked, and why."""
    silent: dict[str, str] = {}

    def ask(site: Site) -> list[history.Entry]:
        try:
            return history.read(SshHost(site.storage, home), newest * 2)
        except (UnreachableError, ApplyError) as error:
            silent[site.name] = error.message
            return []

    here = node_id(home)
    with ThreadPoolExecutor(max(1, len(sites))) as pool:
        entries = [entry for found in pool.map(ask, sites) for entry in found]
    for entry in entries:
        known = rows.get(entry.run)
        if known is None or not known.from_here:
            rows[entry.run] = _of_entry(entry, known, here)
    return silent


def _concerns(run: Run, sites: list[Site]) -> bool:
    return not sites or any(site.name in run.sites for site in sites)


def _of_run(run: Run) -> Row:
    return Row(
        run=run.id,
        verb=run.verb,
        sites=run.sites,
        release=f"{run.release}-{run.serial}" if run.release else None,
        who=run.who,
        from_host=run.from_host,
        from_here=True,
        started_at=run.started_at,
        ended_at=run.ended_at,
        outcome=run.outcome,
        error=run.error,
    )


def _of_entry(entry: history.Entry, known: Row | None, here: str) -> Row:
    row = known or Row(
        run=entry.run,
        verb=entry.verb,
        sites=[],
        release=f"{entry.release}-{entry.serial}" if entry.release else None,
        who=entry.who,
        from_host=entry.from_host,
        from_here=entry.node == here,
        started_at=entry.at,
        ended_at=None,
        outcome=None,
        error=None,
    )
    ended = {"ended_at": entry.at, "outcome": entry.outcome, "error": entry.error}
    sites = list(dict.fromkeys([*row.sites, entry.site]))
    return row.model_copy(update={"sites": sites, **(ended if entry.event == "end" else {})})


def _table(rows: list[Row]) -> None:
    table = plain("began", "who", "from", "what", "sites", "release", "outcome")
    for row in rows:
        table.add_row(
            f"{row.started_at.astimezone():%Y-%m-%d %H:%M:%S}",
            row.who,
            row.from_host if row.from_here else f"{row.from_host} (elsewhere)",
            row.verb,
            ", ".join(row.sites),
            row.release or "",
            escape(f"{row.outcome or 'no end'}{f': {row.error.splitlines()[0][:80]}' if row.error else ''}"),
        )
    Console(highlight=False).print(table)
