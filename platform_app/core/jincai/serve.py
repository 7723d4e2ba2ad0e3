"""`jincai serve`: on the database of the environment, or on a PostgreSQL server of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from jincai.errors import ConfigurationError
from jincai.server import Address, run
from jincai.settings import Settings
from jincai.system import System

__all__ = ["Address", "serve"]


def serve(settings: Settings, systems: tuple[System, ...], address: Address, *, demo: bool) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: demonstration data were asked for on a database that is not our own.
    """
    if settings.database_url:
        if demo:
            raise ConfigurationError(
                "--demo would put demonstration data into the database of JINCAI_DATABASE_URL",
                "Unset the variable to have them in a database of their own.",
            )
        run(settings, settings.database_url, systems, address)
        return
    with (
        _own_database(settings, systems, demo=demo) as (url, auth_url, _),
        _companions(auth_url, systems if demo else (), address),
    ):
        run(settings.model_copy(update={"auth_database_url": auth_url}), url, systems, address)


@contextmanager
def _companions(auth_url: str, systems: tuple[System, ...], address: Address) -> Iterator[None]:
    """Outside systems of the demonstration; they wait for the platform by themselves, and end with it."""
    from jincai import demonstration  # noqa: PLC0415 - a city host never comes here

    running: list[subprocess.Popen[bytes]] = []
    try:
        for one in (system.companion for system in systems if system.companion):
            words = [word.replace("{url}", address.url.rstrip("/")) for word in one.arguments]
            environment = {**os.environ, one.key_variable: demonstration.add_key(auth_url, one)}
            argv = [sys.executable, "-m", one.module, *words]
            running.append(subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL))
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


@contextmanager
def database(settings: Settings, systems: tuple[System, ...]) -> Iterator[tuple[str, str]]:
    """The application's and the owner's URL: those of the environment, or of a PostgreSQL of our own."""
    if settings.database_url:
        yield settings.database_url, settings.owner_url or settings.database_url
        return
    with _own_database(settings, systems, demo=False) as (url, _, owner):
        yield url, owner


@contextmanager
def _own_database(
    settings: Settings, systems: tuple[System, ...], *, demo: bool
) -> Iterator[tuple[str, str, str]]:
    """URLs of the application, its log-in and the owner on our own migrated server; it stops at the end."""
    from jincai import demonstration, embedded, migrate  # noqa: PLC0415 - a city host never comes here

    home = Path(settings.embedded_home) if settings.embedded_home else embedded.default_home()
    given = Path(settings.embedded_bin) if settings.embedded_bin else None
    server = embedded.Server(embedded.find_binaries(given), home)
    # Whoever asks us to stop while PostgreSQL starts gets it stopped as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with embedded.only_one(home):
        try:
            server.start()
            embedded.prepare(server, settings.app_role, settings.auth_role)
            owner = server.url(user=embedded.OWNER)
            migrate.run(owner, systems, settings.app_role, auth_role=settings.auth_role)
            if demo:
                demonstration.load(owner, systems)
                people = demonstration.add_people(server.url(user=settings.auth_role))
                typer.echo(f"演示账户 Demonstration accounts: {', '.join(people)}")
                typer.echo(f"密码 Their password: {demonstration.PASSWORD}")
            yield server.url(user=settings.app_role), server.url(user=settings.auth_role), owner
        finally:
            server.stop()
