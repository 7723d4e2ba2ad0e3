"""`jincai rules`: rule files checked before anybody publishes them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from jincai import plugins, settings
from jincai.errors import ConfigurationError, DatabaseUnavailableError, JincaiError
from jincai.monitoring.rule import Rule
from jincai.monitoring.vocabulary import Vocabulary
from jincai.settings import without_password

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
    from jincai.monitoring import rule_file  # noqa: PLC0415 - only this verb needs a parser

    known = [one for system in plugins.load() for one in system.monitored]
    good = True
    with _database() if run else _none() as cx:
        for file in files:
            try:
                typer.echo(f"{file}: {_checked(rule_file.load(_text(file), str(file)), known, cx)}")
            except JincaiError as error:
                if isinstance(error, ConfigurationError):
                    raise
                good = False
                typer.echo("\n".join(_named(file, error)))
    if not good:
        sys.exit(1)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}", "Give rule files, UTF-8.") from error


def _checked(rule: Rule, known: list[Vocabulary], cx: psycopg.Connection | None) -> str:
    """What to say of a good rule.

    Raises:
        RuleError: it does not compile, or examples fail.
    """
    from jincai.monitoring import examples, language  # noqa: PLC0415 - as above

    of_subject = [one for one in known if one.subject == rule.subject]
    if not of_subject:
        raise language.RuleError(rule.id, (f"subject: no installed system has any {rule.subject}",))
    language.compiled(rule, of_subject[0])
    if cx is None:
        return f"{rule.id} {rule.title}: compiles"
    if failed := examples.failures_now(cx, rule, of_subject[0]):
        raise language.RuleError(rule.id, tuple(map(str, failed)))
    ran = len(rule.examples.fires) + len(rule.examples.passes)
    return f"{rule.id} {rule.title}: good, {ran} examples"


def _named(file: Path, error: JincaiError) -> list[str]:
    problems = getattr(error, "problems", (str(error),))
    return [one if one.startswith(f"{file}:") else f"{file}: {one}" for one in problems]


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
            f"no database at {without_password(url)} to run examples on: {str(error).strip()}",
            "Check JINCAI_DATABASE_URL, or give --no-examples.",
        ) from error
    with cx:
        # Only a look: whatever an example says, nothing is written, and none takes longer than this.
        cx.execute("SET default_transaction_read_only = on")
        cx.execute("SET statement_timeout = '30s'")
        yield cx
