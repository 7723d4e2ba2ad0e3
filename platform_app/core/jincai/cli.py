"""The command line: assembles and shows; the work is elsewhere."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from jincai import freeze_command, identity, plugins, progress, replacing, settings
from jincai import migrate as migration
from jincai.auth import command
from jincai.errors import ConfigurationError, Exit, JincaiError
from jincai.monitoring.command import rules
from jincai.monitoring.store import command as rule_store
from jincai.monitoring.sweeps import command as sweeps
from jincai.socket import command as socket
from jincai.system import System

app = typer.Typer(
    name="jincai",
    help="金财 jincai: the fiscal platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(command.account)
app.add_typer(command.key)
rules.command("list")(rule_store.list_rules)
rules.command("show")(rule_store.show_rule)
app.add_typer(rules)
app.command()(freeze_command.freeze)
app.command()(freeze_command.thaw)
app.command()(socket.drop)
app.command("check-socket")(socket.check_socket)
app.command("sweep")(sweeps.sweep_history)
app.command("back-test")(sweeps.back_test)


@app.command()
def serve(
    demo: Annotated[
        bool, typer.Option("--demo", help="With demonstration data, on its own database.")
    ] = False,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key, PEM.")] = None,
) -> None:
    """Serve the platform, on JINCAI_DATABASE_URL or else on a PostgreSQL of its own."""
    from jincai import serve as serving  # noqa: PLC0415 - `migrate` starts without the web framework

    address = serving.Address(host, port, tls_cert, tls_key)
    serving.serve(settings.from_environment(), plugins.load(), address, demo=demo)


@app.command()
def migrate(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a primary.")] = 0,
    expand: Annotated[
        bool,
        typer.Option("--expand/--contract", help="Keep what the former version needs, or remove it too."),
    ] = False,
) -> None:
    """Bring the schema to what the installed code expects; again changes nothing."""
    configured = settings.from_environment()
    if not configured.owner_url:
        raise ConfigurationError(
            "no database to migrate", "Set JINCAI_MIGRATION_DATABASE_URL or JINCAI_DATABASE_URL."
        )
    roles = (configured.app_role, configured.auth_role)
    report = migration.run(
        configured.owner_url, plugins.load(), roles[0], wait, roles[1], contract=not expand
    )
    if as_json:
        typer.echo(report.model_dump_json())
        return
    for one in report.applied:
        typer.echo(f"applied {one.dist} {one.name}")
    for one in report.waiting:
        typer.echo(f"left for later {one.dist} {one.name}")
    for schema in report.retired:
        typer.echo(f"removed schema {schema} of an edition that was replaced")
    for table, rows in report.seeded.items():
        typer.echo(f"loaded {rows} rows into {table}")
    for grant in report.granted:
        typer.echo(f"granted {grant}")
    typer.echo(f"{len(report.applied)} applied, {report.already} already there")


@app.command("hand-over")
def hand_over(code: Annotated[str, typer.Argument(help="Code of the system.")]) -> None:
    """Write all that a system holds as standard documents, for another edition of it."""
    count = replacing.hand_over(_owner(), _system(code), sys.stdout)
    typer.echo(f"{count} documents handed over", err=True)


@app.command("take-over")
def take_over(
    code: Annotated[str, typer.Argument(help="Code of the system.")],
    release: Annotated[str, typer.Option("--from-release", help="Where the former edition is, as 2026.1-3.")],
    settle: Annotated[
        bool, typer.Option("--settle", help="The last time: the former edition is gone.")
    ] = False,
) -> None:
    """Store what another edition of a system hands over (standard input), all or none."""
    came, changed = replacing.take_over(_owner(), _system(code), sys.stdin, release, settle=settle)
    typer.echo(json.dumps({"documents": came, "changed": changed}))


@app.command("load-progress")
def load_progress() -> None:
    """Store how far the rollout is (standard input, from `rollout progress publish`), for the pages."""
    found = progress.load(_owner(), sys.stdin.buffer)
    typer.echo(json.dumps({"sites": len(found.sheets), "taken_at": found.taken_at.isoformat()}))


def _owner() -> str:
    url = settings.from_environment().owner_url
    if not url:
        raise ConfigurationError("no database", "Set JINCAI_MIGRATION_DATABASE_URL or JINCAI_DATABASE_URL.")
    return url


def _system(code: str) -> System:
    for system in plugins.load():
        if system.code == code:
            return system
    raise ConfigurationError(f"{code}: no such system is installed here")


@app.command()
def replay(
    seed_year: Annotated[bool, typer.Option("--seed-year", help="The year of real size.")] = False,
    payments: Annotated[int | None, typer.Option(min=100, help="Only so many, for a try.")] = None,
    rules_only: Annotated[
        bool, typer.Option("--rules-only", help="The year is there: only measure its alerts.")
    ] = False,
) -> None:
    """Post the seeded year, 1,095,000 payments, reconcile it, measure the rules; again posts nothing."""
    from jincai import serve as serving  # noqa: PLC0415 - as above

    systems = plugins.load()
    replays = [system.replay for system in systems if system.replay]
    if not seed_year or not replays:
        raise ConfigurationError("nothing to replay", "Give --seed-year, with jincai-payment installed.")
    with serving.database(settings.from_environment(), systems) as (url, owner_url):
        if not all(one(url, owner_url, payments, rules_only) for one in replays):
            sys.exit(Exit.FAILED)


@app.command()
def version(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Print what is installed here: the platform, each access system, and the digests of their code."""
    found = identity.at_start(plugins.load(), settings.from_environment())
    if as_json:
        typer.echo(json.dumps(found.model_dump(mode="json", exclude={"process"}), ensure_ascii=False))
        return
    for one in (found.platform, *found.systems):
        typer.echo(f"{one.dist} {one.version} ({one.name}, {one.edition}) {one.code_sha256}")


def main() -> None:
    """Run the command line; a failure is a message and an exit code, not a traceback."""
    try:
        app()
    except JincaiError as error:
        typer.echo(f"jincai: {error}", err=True)
        sys.exit(error.exit_code)
