"""What all verbs share: the command line's root, and how its errors are shown."""

import sys

import typer

from rollout import __version__
from rollout.errors import Exit, RolloutError

app = typer.Typer(
    name="rollout",
    help="Rolls out the fiscal platform 金财, city by city; proves that every site runs the same release.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rollout {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Say the version."
    ),
) -> None:
    """Exit codes: 0 uniform or done, 1 findings or changes, 2 usage, 3 unreachable, 4 apply failed."""


def run(line: typer.Typer) -> None:
    """Runs the command line: every expected failure is one sentence and a way out, never a traceback."""
    try:
        line()
    except RolloutError as error:
        typer.secho(f"rollout: {error.message}", fg="red", err=True)
        if error.hint:
            typer.secho(f"  {error.hint}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.secho("rollout: stopped; the next apply goes on from here", err=True)
        sys.exit(Exit.FAILED)
