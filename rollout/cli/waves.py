"""``rollout waves``, ``rollout board``, ``rollout replay``: a run over many sites, seen and held."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from rollout.apply.journal import Journal, opened
from rollout.cli.options import AsJson
from rollout.errors import ConfigurationError, Exit
from rollout.files import write
from rollout.inventory import default_path, load
from rollout.paths import Home
from rollout.waves import board_text
from rollout.waves.board import Board, board, newest, span
from rollout.waves.log import Wanted, WaveLog, going_on

app = typer.Typer(no_args_is_help=True, help="Pause, resume or stop the apply that is going on.")

Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the journal.")]
RunId = Annotated[str | None, typer.Argument(metavar="RUN", help="The newest if none is named.")]
InventoryPath = Annotated[
    Path | None, typer.Option("-i", "--inventory", help="For the sites' titles; else $ROLLOUT_INVENTORY.")
]
_EVERY_SECONDS = 0.5


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="waves")
    parent.command("board")(show)
    parent.command("replay")(replay)


@app.command()
def pause(reason: Reason) -> None:
    """Begin no further site until resumed; those that have begun are finished, and gates are watched on."""
    _wish("pause", reason)


@app.command()
def resume(reason: Reason = "go on") -> None:
    """Go on."""
    _wish("resume", reason)


@app.command()
def stop(reason: Reason) -> None:
    """End the run after the sites that have begun; the next apply goes on from there."""
    _wish("stop", reason)


def show(
    run: RunId = None,
    *,
    inventory: InventoryPath = None,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write it as a page.")] = None,
    serve: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Serve it on this machine.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Until the run ends.")] = False,
) -> None:
    """Show a run: every wave, site and step. Works while it goes on, and afterwards."""
    from rollout.waves import board_page  # noqa: PLC0415 - Jinja2, only for pages

    with _journal() as journal:
        name = run or newest(journal)

        def look() -> Board:
            return board(journal, name)

        if as_json:
            typer.echo(look().model_dump_json(indent=1))
        elif html:
            write(html, board_page.render(look(), _titles(inventory)).encode(), 0o644)
        elif serve:
            with board_page.server(serve, look, _titles(inventory)) as server:
                typer.echo(f"http://{serve}/  (Ctrl-C ends it)")
                server.serve_forever()
        elif follow:
            _live(look, lambda one: one.over)
        else:
            Console(highlight=False).print(board_text.render(look()))


def replay(
    run: RunId = None,
    speed: Annotated[float, typer.Option(min=0.1, max=100_000, help="So many times as fast.")] = 60,
) -> None:
    """Show a past run again, as the board showed it, from the journal's times."""
    with _journal() as journal:
        name = run or newest(journal)
        begun, ended = span(journal, name)
        began_here = time.monotonic()

        def look() -> Board:
            passed = (time.monotonic() - began_here) * speed
            return board(journal, name, min(ended, begun + timedelta(seconds=passed)))

        _live(look, lambda one: one.at >= ended)


def _live(look: Callable[[], Board], over: Callable[[Board], bool]) -> None:
    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False) as live:
        while True:
            now = look()
            live.update(board_text.render(now), refresh=console.is_terminal or over(now))
            if over(now):
                return
            time.sleep(_EVERY_SECONDS)


def _wish(wanted: Wanted, reason: str) -> None:
    with _journal() as journal:
        run = going_on(journal)
        WaveLog(journal).wish(run, wanted, reason)
    typer.echo(f"{run}: {wanted}")
    raise typer.Exit(Exit.OK)


def _journal() -> AbstractContextManager[Journal]:
    home = Home()
    if not home.journal.is_file():
        raise ConfigurationError(f"{home.root}: no journal yet", "Begin a run: rollout apply RELEASE")
    return opened(home.journal)


def _titles(inventory: Path | None) -> dict[str, str]:
    try:
        found = load(inventory or default_path())
    except ConfigurationError:
        return {}
    return {name: site.title for name, site in found.sites.items()}
