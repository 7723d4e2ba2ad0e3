"""`jincai sweep` and `jincai back-test`: the same from the command line, with progress, until it is done."""

import datetime as dt
from typing import Annotated

import typer
from pydantic import ValidationError

from jincai.errors import ConfigurationError, Exit

_From = Annotated[dt.datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")]
_To = Annotated[dt.datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")]
_Divisions = Annotated[
    list[str] | None, typer.Option("--division", help="With those below it; several may be given.")
]


def sweep_history(
    from_: _From,
    to: _To,
    division: _Divisions = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", help="Only this rule, such as R4.")] = None,
) -> None:
    """Judge history by the rules in force; again finds nothing twice."""
    from jincai.monitoring.sweeps import by_command  # noqa: PLC0415 - `migrate` starts without all this
    from jincai.monitoring.sweeps.sweep import SweepAsked  # noqa: PLC0415

    given = {"from_day": from_.date(), "to_day": to.date(), "divisions": division or (), "rules": rule or ()}
    try:
        asked = SweepAsked.model_validate(given)
    except ValidationError as error:
        raise _mistaken(error) from None
    done = by_command.swept(asked)
    for name, why in done.trouble.items():
        typer.echo(f"{name} could not be judged: {why}", err=True)
    typer.echo(f"sweep {done.id}: {done.judged:,} judged, {done.found:,} new alerts, {done.state}")
    if done.state != "done":
        raise typer.Exit(Exit.FAILED)


def back_test(
    rule: Annotated[str, typer.Argument(help="Such as R4.")],
    from_: _From,
    to: _To,
    version: Annotated[int | None, typer.Option(min=1, help="The newest, a draft too, if not given.")] = None,
    division: _Divisions = None,
) -> None:
    """What a version of a rule would have fired on; writes no alerts."""
    from jincai.monitoring.sweeps import by_command  # noqa: PLC0415 - as above
    from jincai.monitoring.sweeps.backtest import BackTestAsked  # noqa: PLC0415

    given = {"from_day": from_.date(), "to_day": to.date(), "version": version, "divisions": division or ()}
    try:
        asked = BackTestAsked.model_validate(given)
    except ValidationError as error:
        raise _mistaken(error) from None
    done = by_command.tried(rule, asked)
    for month in done.months:
        typer.echo(f"{month.month} {month.division} {month.fired:>8,} {month.amount / 100:>20,.2f}")
    there = done.compared
    typer.echo(
        f"{done.rule} version {done.version}: would have fired {done.fired:,} times"
        f" on {done.judged:,} records;"
        f" only this version {there.new:,}, both {there.both:,}, only the one in force {there.old:,}"
    )
    if done.decided:
        typer.echo(f"agrees with {done.decided.percent} % of {done.decided.total:,} concluded cases")
    if done.state != "done":
        typer.echo(f"stopped: {done.why} {done.detail}", err=True)
        raise typer.Exit(Exit.FAILED)


def _mistaken(error: ValidationError) -> ConfigurationError:
    said = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
    return ConfigurationError(said, "Correct the options; nothing was begun.")
