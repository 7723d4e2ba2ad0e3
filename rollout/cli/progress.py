"""``rollout progress``: the assessment sheet, statements, inspections, bulletins, funding."""

import secrets
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from rollout import clock
from rollout.cli.options import AsJson, InventoryPath, Sites
from rollout.errors import ConfigurationError
from rollout.inventory import Inventory, default_path, load, select
from rollout.paths import Home
from rollout.tables import plain

if TYPE_CHECKING:
    from rollout.progress.assess import SiteSheet
    from rollout.progress.plan import Plan
    from rollout.progress.sheet import Sheet

app = typer.Typer(no_args_is_help=True, help="How far the rollout is, city by city, and what proves it.")

OneSite = Annotated[str, typer.Option("--site", help="The site.")]
Part = Annotated[str, typer.Argument(help="Number of the sub-item, such as 4.1.")]
By = Annotated[str, typer.Option("--by", help="Name of the person.")]
AsOf = Annotated[str, typer.Option("--on", help="The day, YYYY-MM-DD; today if none is named.")]
_NAMES_THEM = "`rollout progress show --site S` names them all, and what proves each."
_COLOUR = {"done": "green", "late": "red", "blocked": "yellow", "open": "dim"}


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="progress")


@app.command()
def show(
    *,
    site: Sites = None,
    on: AsOf = "",
    inventory: InventoryPath = None,
    as_json: AsJson = False,
) -> None:
    """Show scores, lateness and forecast; with one --site every sub-item and what proves it."""
    _, _, _, sheets = _assessed(inventory, site, on)
    if as_json:
        typer.echo("[" + ",\n".join(one.model_dump_json() for one in sheets) + "]")
        return
    console = Console(highlight=False)
    console.print(_lines(sheets[0]) if site and len(sheets) == 1 else _overview(sheets))
    for one in sheets:
        for text in [*one.overdue, *one.doubtful]:
            console.print(f"{one.site}: {text}", style="yellow")


def show_overview(site: list[str] | None, inventory: Path | None) -> None:
    """A line for each site that has a planned day: points, lateness, forecast, what funding is due."""
    _, _, plan, sheets = _assessed(inventory, None, "")
    chosen = [one for one in sheets if not site or one.site in site]
    if chosen:
        Console(highlight=False).print(_overview(chosen, plan))


@app.command()
def state(
    part: Part,
    *,
    site: OneSite,
    by: By,
    file: Annotated[Path, typer.Option("--file", help="What shows it; a copy is kept.")],
    note: Annotated[str, typer.Option("--note", help="A remark.")] = "",
    inventory: InventoryPath = None,
) -> None:
    """State that a sub-item is done. What a machine can know cannot be stated."""
    from rollout.progress.facts import Statement  # noqa: PLC0415 - keeps `rollout --help` quick
    from rollout.progress.ledger import Ledger  # noqa: PLC0415 - as above

    _known(part, inventory, site, stated=True)
    ledger = Ledger(Home())
    digest = ledger.attach(file)
    ledger.add(
        [Statement(site=site, part=part, by=by, at=clock.now(), note=note, file=file.name, sha256=digest)]
    )
    typer.echo(f"{site} {part}: stated by {by}")


@app.command()
def withdraw(
    part: Part,
    site: OneSite,
    by: By,
    why: Annotated[str, typer.Option("--why", help="The reason.")],
    inventory: InventoryPath = None,
) -> None:
    """Take a statement back; it stays on record."""
    from rollout.progress.facts import Withdrawal  # noqa: PLC0415 - as above
    from rollout.progress.ledger import Ledger  # noqa: PLC0415 - as above

    _known(part, inventory, site, stated=True)
    Ledger(Home()).add([Withdrawal(site=site, part=part, by=by, at=clock.now(), note=why)])
    typer.echo(f"{site} {part}: withdrawn by {by}")


@app.command()
def inspect(
    site: OneSite,
    team: Annotated[list[str], typer.Option("--team", help="A member; repeat for several.")],
    *,
    finding: Annotated[
        list[str] | None,
        typer.Option(metavar="PART:DEADLINE:TEXT", help="Such as 4.1:2010-05-01:无备用电源"),
    ] = None,
    major: Annotated[bool, typer.Option("--major", help="The findings are major.")] = False,
    note: Annotated[str, typer.Option("--note", help="A remark.")] = "",
    inventory: InventoryPath = None,
) -> None:
    """Record an inspection and what it found; past its deadline a finding takes its sub-item's points."""
    from rollout.progress.facts import Found, Visit  # noqa: PLC0415 - as above
    from rollout.progress.ledger import Ledger  # noqa: PLC0415 - as above

    now = clock.now()
    found = []
    for text in finding or []:
        part, _, rest = text.partition(":")
        deadline, _, words = rest.partition(":")
        _known(part, inventory, site)
        found.append(
            Found(
                id=secrets.token_hex(4),
                site=site,
                part=part,
                severity="major" if major else "minor",
                text=words or "?",
                deadline=_day(deadline),
                at=now,
            )
        )
    Ledger(Home()).add([Visit(site=site, team=team, day=now.date(), note=note, at=now), *found])
    for one in found:
        typer.echo(f"{site} {one.part}: finding {one.id}, to be put right by {one.deadline}")


@app.command()
def recheck(
    finding: Annotated[str, typer.Argument(help="The finding's id.")],
    by: By,
    good: Annotated[bool, typer.Option("--good/--still-wrong", help="What was seen.")],
    note: Annotated[str, typer.Option("--note", help="A remark.")] = "",
) -> None:
    """Record that a finding was looked at again."""
    from rollout.progress.facts import Recheck  # noqa: PLC0415 - as above
    from rollout.progress.ledger import Ledger  # noqa: PLC0415 - as above

    ledger = Ledger(Home())
    if finding not in {entry.id for entry in ledger.read() if entry.kind == "finding"}:
        raise ConfigurationError(
            f"{finding}: there is no such finding", "`rollout progress show` names them."
        )
    ledger.add([Recheck(id=finding, good=good, by=by, note=note, at=clock.now())])
    typer.echo(f"{finding}: {'put right' if good else 'still wrong'}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Where the pages go.")],
    number: Annotated[int, typer.Option("--number", min=1, help="Of the bulletin.")] = 1,
    since: Annotated[str, typer.Option("--since", help="Day of the last bulletin, YYYY-MM-DD.")] = "",
    on: AsOf = "",
    inventory: InventoryPath = None,
) -> None:
    """Write the region's page, every site's sheet, and a bulletin as HTML, PDF and XLSX."""
    from rollout.progress import report as reports  # noqa: PLC0415 - as above
    from rollout.progress.bulletin import bulletin  # noqa: PLC0415 - as above

    found, sheet, plan, sheets = _assessed(inventory, None, on)
    cities = [one for one in sheets if found.sites[one.site].kind == "city"]
    if not cities:
        raise ConfigurationError("no city has a planned day in progress.yml")
    before = None
    if since:
        before = {
            one.site: one
            for one in _assessed(inventory, None, since)[3]
            if one.site in {c.site for c in cities}
        }
    made = bulletin(number, plan, cities, before)
    files = reports.write(folder, sheet, sheets, [made])
    typer.echo(f"{len(files)} files in {folder}; begin with {folder / 'index.html'}")


@app.command()
def simulate(
    out: Annotated[Path, typer.Option("--out", help="Where the pages go.")],
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another year.")] = 20100101,
    inventory: InventoryPath = None,
) -> None:
    """Invent a year of the rollout (2010) and run it through the sheet, bulletins and funding."""
    from rollout.progress import report as reports  # noqa: PLC0415 - as above
    from rollout.progress import sheet as sheets  # noqa: PLC0415 - as above
    from rollout.progress.simulate import year  # noqa: PLC0415 - as above

    found = load(inventory or default_path())
    sheet = sheets.load()
    made = year(sheet, list(found.sites.values()), seed)
    files = reports.write(out, sheet, made.sheets, made.bulletins)
    last = made.bulletins[-1]
    console = Console(highlight=False)
    console.print("simulated; nothing of this happened", style="bold red")
    console.print(_overview(made.sheets))
    total = sum(one.total for one in last.funding)
    console.print(
        f"{len(made.bulletins)} bulletins; {last.live} of {len(last.places)} cities live; "
        f"funding due {total / 100:,.2f} yuan; {len(files)} files in {out}"
    )


@app.command()
def publish(
    *,
    inventory: InventoryPath = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be sent.")] = False,
) -> None:
    """Show it all on the pages of the region's platform, until it is published anew."""
    from rollout.access import scope  # noqa: PLC0415 - as above
    from rollout.apply.journal import opened  # noqa: PLC0415 - as above
    from rollout.glass.fabric_host import FabricHost  # noqa: PLC0415 - as above
    from rollout.glass.fan import exit_of, fan_out  # noqa: PLC0415 - as above
    from rollout.progress import publication as publications  # noqa: PLC0415 - as above

    scope.refuse("progress publish")
    home = Home()
    found, _, plan, sheets = _assessed(inventory, None, "")
    document = publications.publication(found, plan, sheets, clock.now())
    if dry_run:
        typer.echo(document.model_dump_json(indent=1))
        return
    regions = [site for site in found.sites.values() if site.kind == "region"]
    if not regions:
        raise ConfigurationError(
            f"{found.path}: no region in this inventory", "Its platform shows the pages."
        )
    work = publications.work(document, lambda host: FabricHost(host, home))
    with opened(home.journal) as journal:
        outcomes = fan_out(journal, "progress publish", regions, work)
    for one in outcomes:
        typer.echo(f"{one.site}: {one.detail}")
    raise typer.Exit(exit_of(outcomes))


def _assessed(
    inventory: Path | None, names: list[str] | None, on: str
) -> tuple[Inventory, "Sheet", "Plan", list["SiteSheet"]]:
    """The sheets of the named sites, or of all that have a planned day."""
    from rollout.progress import plan as plans  # noqa: PLC0415 - as above
    from rollout.progress import sheet as sheets  # noqa: PLC0415 - as above
    from rollout.progress.assess import assess  # noqa: PLC0415 - as above
    from rollout.progress.sources import gather  # noqa: PLC0415 - as above

    found = load(inventory or default_path())
    plan, sheet = plans.load(found), sheets.load()
    chosen = [site for site in select(found, names or []) if names or site.name in plan.go_live]
    unplanned = [site.name for site in chosen if site.name not in plan.go_live]
    if unplanned:
        raise ConfigurationError(f"progress.yml: go_live: no day for {', '.join(unplanned)}")
    facts = gather(Home(), [site.name for site in chosen])
    day = _day(on) if on else clock.now().date()
    return found, sheet, plan, [assess(sheet, plan, facts[s.name], s.title, day) for s in chosen]


def _known(part: str, inventory: Path | None, site: str, *, stated: bool = False) -> None:
    from rollout.progress import sheet as sheets  # noqa: PLC0415 - as above

    select(load(inventory or default_path()), [site])
    parts = sheets.load().parts
    if part not in parts:
        raise ConfigurationError(
            f"{part}: there is no such sub-item", "`rollout progress show --site S` names them."
        )
    if stated and parts[part].proof != "statement":
        raise ConfigurationError(
            f"{part} {parts[part].title}: a machine proves this",
            "`rollout progress show --site S` says by what.",
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{text}: not a day", "Write it as YYYY-MM-DD.") from None


_NUMBERS = ("score", "planned", "done", "late", "points")


def _overview(sheets: list["SiteSheet"], plan: "Plan | None" = None) -> Table:
    """``plan``: also what funding is due by it."""
    table = plain("site", "score", "planned", "done", "late", "go-live", "forecast", numbers=_NUMBERS)
    if plan:
        table.add_column("funding due, yuan", justify="right")
    for one in sheets:
        forecast = f"live {one.live}" if one.live else str(one.forecast or "not begun")
        behind = bool(one.forecast and one.forecast > one.go_live)
        table.add_row(
            f"{one.title} {one.site}",
            str(one.score),
            str(one.planned),
            f"{one.done}/{len(one.lines)}",
            f"[red]{one.late}[/]" if one.late else "",
            str(one.go_live),
            f"[red]{forecast}[/]" if behind else f"[green]{forecast}[/]" if one.live else forecast,
            *([_due(one, plan)] if plan else []),
        )
    return table


def _due(one: "SiteSheet", plan: "Plan") -> str:
    from rollout.progress.ranking import funding  # noqa: PLC0415 - as above

    return f"{funding(plan, one).total / 100:,.2f}"


def _lines(one: "SiteSheet") -> Table:
    table = plain("", "sub-item", "points", "due", "state", "lead", "proved by", numbers=_NUMBERS)
    for line in one.lines:
        late = f" {line.late} d" if line.late and line.state != "done" else ""
        table.add_row(
            line.part,
            line.title,
            str(line.weight),
            str(line.due),
            f"[{_COLOUR[line.state]}]{line.state}{late}[/]",
            line.lead,
            f"{line.since:%Y-%m-%d} {line.by}" if line.since else line.by,
        )
    return table
