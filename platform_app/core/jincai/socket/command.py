"""`jincai drop` and `jincai check-socket`: assemble and show."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from jincai.errors import ConfigurationError
from jincai.socket.conformance.command import Asked
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


def check_socket(  # noqa: PLR0917 - as above
    url: Annotated[str, typer.Argument(help="The outside system: what stands before /api/v1/socket.")],
    key_env: Annotated[str, typer.Option(help="Variable that holds the key.")] = "JINCAI_SOCKET_KEY",
    kind: Annotated[list[str] | None, typer.Option(help="Only these kinds; all if not given.")] = None,
    fiscal_year: Annotated[int | None, typer.Option(help="Year to pull; else the example's.")] = None,
    division: Annotated[str | None, typer.Option(help="Division to pull; else the example's.")] = None,
    example: Annotated[Path | None, typer.Option(help="JSON: kind to a document that may be pushed.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Push nothing.")] = False,
    ca: Ca = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
) -> None:
    """Check whether an outside system keeps the socket's contract: 0 it does, 1 not, 3 no answer.

    It pushes the example, again and again: ask a system for trials, or use --read-only.
    """
    if not (key := os.environ.get(key_env)):
        raise ConfigurationError(f"{key_env} is not set", "Put the system's key there, or name another.")
    asked = Asked(url, key, ca, frozenset(kind or ()), fiscal_year, division, example, read_only)
    if not asked.run(as_json=as_json):
        sys.exit(1)
