"""`jincai rules`: rule files checked before anybody publishes them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from jincai import plugins, settings
from jincai.errors import ConfigurationError, DatabaseUnavailableError
from jincai.monitoring.vocabulary import Vocabulary

CONNECT_SECONDS = 5

rules = typer.Typer(name="rules", help="Monitoring rules.", no_args_is_help=True)


@rules.callback()
def _rules() -> None:
    """Monitoring rules."""


@rules.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Rule files, R*.yml.")],
    run: Annotated[
        bool, typer.Option("--examples/--no-examples", help="Run the rules' examples in PostgreSQL.")
    ] = True,
) -> None:
    """Check rule files: 0 every one is good, 1 one is refused or an example fails.

    Examples read and write no table. They run on JINCAI_DATABASE_URL, else on a PostgreSQL of one's own.
    """
    known = {one.subject: one for system in plugins.load() for one in system.monitored}
    with _database() if run else _none() as cx:
        good = [_good(file, known, cx) for file in files]
    if not all(good):
        sys.exit(1)


def _good(file: Path, known: dict[str, Vocabulary], cx: psycopg.Connection | None) -> bool:
    from jincai.monitoring import examples, language, rule_file  # noqa: PLC0415 - only this verb needs a parser

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}", "Give rule files, UTF-8.") from error
    try:
        rule = rule_file.load(text, str(file))
        if not (vocabulary := known.get(rule.subject)):
            raise rule_file.RuleFileError(
                [f"{file}:1: subject: no installed system has {rule.subject} records"]
            )
        language.compiled(rule, vocabulary)
        failed = examples.failures_now(cx, rule, vocabulary) if cx else []
    except rule_file.RuleFileError as error:
        typer.echo(str(error))
        return False
    except language.RuleError as error:
        typer.echo("\n".join(f"{file}: {problem}" for problem in error.problems))
        return False
    for one in failed:
        typer.echo(f"{file}: {one}")
    if not failed:
        ran = len(rule.examples.fires) + len(rule.examples.passes) if cx else 0
        typer.echo(f"{file}: {rule.id} {rule.title}: good, {ran} examples ran")
    return not failed


@contextmanager
def _none() -> Iterator[None]:
    yield None


@contextmanager
def _database() -> Iterator[psycopg.Connection]:
    configured = settings.from_environment()
    if configured.database_url:
        with _connected(configured.database_url) as cx:
            yield cx
        return
    from jincai import serve  # noqa: PLC0415 - a city host never comes here

    with serve.database(configured, plugins.load()) as (url, _), _connected(url) as cx:
        yield cx


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    try:
        cx = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailableError(
            f"no database to run examples on: {str(error).strip()}",
            "Check JINCAI_DATABASE_URL, or give --no-examples.",
        ) from error
    with cx:
        # Only a look: whatever an example says, nothing is written, and none takes longer than this.
        cx.execute("SET default_transaction_read_only = on")
        cx.execute("SET statement_timeout = '30s'")
        yield cx
