"""``rollout apply``, ``rollout rollback`` and ``rollout unlock``."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rollout.apply import heal, orphans, show, unlock
from rollout.apply.journal import opened
from rollout.apply.previous import previous
from rollout.apply.record import load_record
from rollout.apply.run import Applicant, Options, Result
from rollout.audit import build
from rollout.cli.options import InventoryPath, Sites
from rollout.errors import ConfigurationError, Exit
from rollout.inventory import Site, default_path, load, select
from rollout.paths import Home
from rollout.plan import approved
from rollout.plan.model import Plan
from rollout.plan.show import show as show_plan
from rollout.secrets import rotation
from rollout.waves import policy as policies


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("apply")(apply)
    app.command("rollback")(rollback)
    app.command("unlock")(unlock_site)


def apply(
    release: Annotated[str, typer.Argument(help="2026.1, 2026.1-3 for one build, or a plan's FILE.")],
    *,
    inventory: InventoryPath = None,
    site: Sites = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do what the plan says without asking.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Run the playbooks in Ansible's check mode; change nothing.")
    ] = False,
    converge: Annotated[
        bool, typer.Option("--converge", help="Run every step even where nothing is to do; show the counts.")
    ] = False,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=32, help="Sites at a time.")] = 4,
    orphan_wait: Annotated[
        float, typer.Option("--orphan-wait", min=0, help="Seconds for what a killed run left to finish.")
    ] = orphans.WAIT_SECONDS,
    heal_wait: Annotated[
        float, typer.Option("--heal-wait", min=0, help="Seconds for work still going on at the hosts.")
    ] = heal.WAIT_SECONDS,
    wait_window: Annotated[
        bool, typer.Option("--wait-window", help="Wait until the window of waves.yml opens.")
    ] = False,
    outside_window: Annotated[
        str, typer.Option("--outside-window", metavar="REASON", help="Do it now all the same, and why.")
    ] = "",
    auto_rollback: Annotated[bool, typer.Option(help="Roll a wave back when one of its gates shuts.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name everything in the plan.")] = False,
) -> None:
    """Bring sites to a release. Exit 0 done, nothing to do; 1 declined, moved; 3 unreachable; 4 failed."""
    home, console = Home(), Console(highlight=False)
    wanted = approved.read(Path(release)) if _is_file(release) else None
    found = load(inventory or default_path())
    if wanted and site:
        raise ConfigurationError("--site: a plan's file names its sites", "Leave --site out.")
    sites = select(found, [one.site for one in wanted.sites] if wanted else site or [])
    _refuse_renewing(home, sites)
    name = f"{wanted.release}-{wanted.serial}" if wanted else release
    options = Options(
        yes=yes and wanted is None,
        check=check,
        converge=converge,
        rollback=bool(wanted and wanted.rollback),
        parallel=parallel,
        orphan_wait=orphan_wait,
        heal_wait=heal_wait,
        wait_window=wait_window,
        outside=outside_window,
        auto_rollback=auto_rollback,
    )

    agreed = yes or check or wanted is not None
    with show.shown(console) as shown:
        policy = policies.load(Path(found.path))
        applicant = Applicant(home, found, build.load(home, name), shown, options, policy=policy)
        result = applicant.apply(sites, _agree(console, agreed, verbose=verbose), wanted)
    _say(result, console, counts=check or converge)
    raise typer.Exit(result.exit)


def rollback(
    site: Annotated[str, typer.Option("--site", help="The site.")],
    release: Annotated[
        str | None, typer.Argument(help="2026.1-3; the build that the site ran before if none is named.")
    ] = None,
    *,
    inventory: InventoryPath = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do what the plan says without asking.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name everything in the plan.")] = False,
) -> None:
    """Bring a site back to an older build. The plan names what cannot be undone. Exit codes as of apply."""
    home, console = Home(), Console(highlight=False)
    found = load(inventory or default_path())
    (one,) = select(found, [site])
    _refuse_renewing(home, [one])
    if release is None:
        with opened(home.journal) as journal:
            release = previous(journal, one, load_record(home, one.name))
    with show.shown(console) as shown:
        options = Options(yes=yes, rollback=True)
        applicant = Applicant(home, found, build.load(home, release), shown, options)
        result = applicant.apply([one], _agree(console, yes, verbose=verbose))
    _say(result, console, counts=False)
    raise typer.Exit(result.exit)


def unlock_site(
    site: Annotated[str, typer.Option("--site", help="The site.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the journal.")],
    inventory: InventoryPath = None,
) -> None:
    """Remove a site's lease that nobody will give back any more. Be sure that its holder is gone."""
    found = load(inventory or default_path())
    said = unlock.unlock(Home(), select(found, [site])[0], reason)
    typer.echo(said)


def _refuse_renewing(home: Home, sites: list[Site]) -> None:
    """A secret that is half renewed is finished first: vault and database may not yet agree on it."""
    for one in sites:
        if (home.root / "secrets" / one.name / rotation.FILE).is_file():
            going_on = rotation.going_on(home, one.name)
            name = going_on.name if going_on else "NAME"
            raise ConfigurationError(
                f"{one.name}: its secret {name} is being renewed",
                f"Finish that first: rollout glass rotate {name} --site {one.name}",
            )


def _agree(console: Console, agreed: bool, *, verbose: bool) -> Callable[[Plan], bool]:
    def agree(plan: Plan) -> bool:
        show_plan(plan, console, verbose=verbose)
        return agreed or _asked()

    return agree


def _is_file(text: str) -> bool:
    return "/" in text or Path(text).suffix == ".json" or Path(text).is_file()


def _asked() -> bool:
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "nobody is there to ask", "Agree beforehand with --yes, or apply a plan's FILE."
        )
    return typer.confirm("Apply?", default=False)


def _say(result: Result, console: Console, *, counts: bool) -> None:
    if counts and result.recaps:
        console.print(show.recap(result.recaps))
    if result.run is None:
        console.print("nothing to do" if result.exit is Exit.OK else "nothing was done")
    else:
        console.print(f"done: {', '.join(result.recaps)} (run {result.run})", style="green")
