"""``rollout audits``: kept audits, what became of findings, and audits by a timer."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from rollout import clock
from rollout.audit import history, page, reports, schedule, terminal, trend, trend_page
from rollout.cli.options import AsJson, InventoryPath, Sites
from rollout.errors import ConfigurationError
from rollout.inventory import default_path, load, select
from rollout.paths import Home
from rollout.tables import plain

app = typer.Typer(no_args_is_help=False, help="Kept audits: list, show, trend, schedule.")
_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 40


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="audits")


@app.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    *,
    site: Sites = None,
    last: Annotated[int, typer.Option("--last", min=1, max=2000, help="So many, the newest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List kept audits: those of applies, of the timer, and of `rollout audit --keep`."""
    if context.invoked_subcommand:
        return
    found = history.newest(Home(), last, site or [])
    if as_json:
        _json([{"id": one.id, "sites": one.sites, "open": one.open, **_head(one)} for one in found.kept])
        return
    console = Console(highlight=False)
    table = plain("id", "taken", "release", "hosts", "verdict", numbers={"hosts"})
    for one in found.kept:
        report = one.report
        verdict = "[green]uniform[/]" if report.uniform else f"[red]{_summary(report.summary)}[/]"
        table.add_row(
            one.id,
            _when(report.taken_at),
            f"{report.release}-{report.serial}",
            str(len(report.hosts)),
            verdict,
        )
    console.print(table if found.kept else "no audit is kept yet: rollout audit --keep")
    _say_refused(console, found.refused)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="As `rollout audits` lists it.")],
    *,
    html: Annotated[Path | None, typer.Option("--html", help="Write it as a page instead.")] = None,
) -> None:
    """Show one kept audit, its signature verified."""
    home = Home()
    report = reports.read_verified(history.file_of(home, name), home.keys / "report.gpg")
    if html:
        reports.check_writable(html)
        reports.write(html, page.render(report, {host.site: host.site for host in report.hosts}).encode())
    else:
        terminal.show(report, Console())


@app.command("trend")
def show_trend(
    *,
    site: Sites = None,
    days: Annotated[int, typer.Option("--days", min=1, max=730, help="So far back.")] = 30,
    html: Annotated[Path | None, typer.Option("--html", help="Write it as a page instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show findings by day, and how long each has stood."""
    if html:
        reports.check_writable(html)
    now = clock.now()
    kept = history.newest(Home(), history.MOST, site or [], now - timedelta(days=days))
    found = trend.follow([one.report for one in kept.kept], set(site or []))
    if as_json:
        typer.echo(found.model_dump_json(indent=1))
        return
    if html:
        reports.write(html, trend_page.render(found, now, kept.refused).encode())
        return
    console = Console(highlight=False)
    _days(console, found)
    _findings(console, found, now)
    _say_refused(console, kept.refused)


@app.command("schedule")
def timer(
    *,
    inventory: InventoryPath = None,
    site: Sites = None,
    daily: Annotated[
        str, typer.Option("--daily", metavar="HH:MM", help="Once a day, this machine's time.")
    ] = "",
    hourly: Annotated[bool, typer.Option("--hourly", help="Once an hour.")] = False,
    off: Annotated[bool, typer.Option("--off", help="No longer.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the units and change nothing.")] = False,
) -> None:
    """Have this control node audit by a timer; without an option, say when it does."""
    if sum((bool(daily), hourly, off)) > 1:
        raise ConfigurationError("--daily, --hourly and --off exclude each other")
    if off:
        typer.echo(schedule.stop(dry_run=dry_run))
        return
    if not daily and not hourly:
        typer.echo(schedule.state())
        return
    path = (inventory or default_path()).resolve()
    names = [one.name for one in select(load(path), site)] if site else []
    plan = schedule.Plan(home=Home().root, inventory=path, sites=names, when=schedule.when(daily))
    typer.echo(schedule.start(plan, dry_run=dry_run))


def _days(console: Console, found: trend.Trend) -> None:
    most = max((day.open for day in found.days), default=0)
    table = plain(
        "day", "audits", "hosts", "findings", "", "by kind", numbers={"audits", "hosts", "findings"}
    )
    for day in found.days:
        bar = _BARS[round(day.open / most * (len(_BARS) - 1))] if most and day.open else "·"
        style = "red" if day.open else "green"
        row = (str(day.day), str(day.audits), str(day.hosts), str(day.open), f"[{style}]{bar}[/]")
        table.add_row(*row, _summary(day.kinds))
    console.print(table if found.days else "no audit is kept in this time")


def _findings(console: Console, found: trend.Trend, now: datetime) -> None:
    rows = sorted(found.findings, key=lambda one: (one.gone_at is not None, -one.hours(now)))
    table = plain("host", "component", "kind", "first seen", "stood", "")
    for one in rows[:_SHOWN]:
        gone = f"gone {_when(one.gone_at)}" if one.gone_at else "[red]stands[/]"
        seen = _when(one.first_seen)
        table.add_row(one.host, one.component, one.kind, seen, trend_page.lasted(one.hours(now)), gone)
    if rows:
        console.print()
        console.print(table)
    if len(rows) > _SHOWN:
        console.print(f"and {len(rows) - _SHOWN} more; all of them: --html or --json")


def _say_refused(console: Console, refused: list[str]) -> None:
    for line in refused:
        console.print(f"not counted: {line}", style="yellow")


def _summary(kinds: Mapping[Any, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"


def _head(one: history.Kept) -> dict[str, object]:
    report = one.report
    return {
        "taken_at": report.taken_at.isoformat(),
        "release": report.release,
        "serial": report.serial,
        "hosts": len(report.hosts),
        "uniform": report.uniform,
        "summary": report.summary,
    }


def _json(rows: list[dict[str, object]]) -> None:
    typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
