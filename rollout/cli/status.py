"""``rollout status``."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rollout.apply import status as statuses
from rollout.cli.options import AsJson, InventoryPath, Sites
from rollout.inventory import default_path, load, select
from rollout.paths import Home
from rollout.tables import plain

_STYLE = {"done": "green", "failed": "red", "killed": "red", "stopped": "yellow", "running": "cyan"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("status")(status)


def status(
    *,
    inventory: InventoryPath = None,
    site: Sites = None,
    progress: Annotated[
        bool | None,
        typer.Option(
            "--progress/--no-progress", help="How far each site's rollout is; so where there is a plan."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what this control node knows of each site, and who holds it now. Looks, touches nothing."""
    found = load(inventory or default_path())
    state = statuses.look(Home(), select(found, site or []))
    if as_json:
        typer.echo(state.model_dump_json(indent=1))
        return
    console = Console(highlight=False)
    table = plain("site", "release", "last apply", "outcome", "step", "last audit", "held by")
    for row in state.sites:
        table.add_row(*_cells(row))
    console.print(table)
    for row in state.sites:
        if row.frozen:
            console.print(f"{row.site}: payments {row.frozen}", style="bold red")
    if (Path(found.path) / "progress.yml").is_file() if progress is None else progress:
        from rollout.cli.progress import show_overview  # noqa: PLC0415 - only where there is a plan

        show_overview(site, inventory)


def _cells(row: statuses.SiteStatus) -> list[str]:
    outcome = row.outcome or ""
    audit = row.audit and f"{_when(row.audit.taken_at)} {_audited(row.audit)}"
    return [
        row.site,
        row.release or "",
        f"{_when(row.apply.started_at)} by {row.apply.who}" if row.apply else "never",
        f"[{_STYLE[outcome]}]{outcome}[/]" if outcome in _STYLE else outcome,
        row.step or "",
        audit or "",
        row.held_by or "",
    ]


def _audited(audit: statuses.LastAudit) -> str:
    if audit.uniform:
        return "uniform"
    return f"[red]{audit.findings} finding{'' if audit.findings == 1 else 's'}[/]"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
