"""`jincai drop` and `jincai check-socket`: assemble and show."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from jincai.errors import ConfigurationError
from jincai.socket.drop.service import Drop
from jincai.socket.drop.station import QUIET_SECONDS

Ca = Annotated[Path | None, typer.Option(help="Certificates to trust the other side by, PEM.")]


def drop(  # noqa: PLR0917 - as many as the command has options
    folder: Annotated[Path, typer.Argument(help="Holds one folder for each outside system.")],
    url: Annotated[str, typer.Option(help="The platform, https://host[:port].")],
    keys: Annotated[Path, typer.Option(help="Folder with each system's API key, in a file named like it.")],
    ca: Ca = None,
    every: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds between two rounds.")] = 2.0,
    quiet: Annotated[
        float, typer.Option(min=0, max=3600, help="Seconds after which an unmarked file is complete.")
    ] = QUIET_SECONDS,
    once: Annotated[bool, typer.Option("--once", help="One round, then stop.")] = False,
    english: Annotated[bool, typer.Option("--english", help="Answer in English, not Chinese.")] = False,
) -> None:
    """Push files that outside systems drop, and answer each with a receipt or what was wrong."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    if not keys.is_dir():
        raise ConfigurationError(f"{keys} is no folder", "Give --keys the folder of API keys.")
    answered = Drop(folder, keys, url, ca, every, quiet, "en" if english else "zh").run(once=once)
    typer.echo(f"{answered} files answered")
