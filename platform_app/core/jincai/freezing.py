"""冻结支付: a system that pays can be made to stop, at once and for every process, and to say so.

What is frozen stays readable. Who freezes is on the host, as the schema's owner (`jincai freeze`): the
application's own role can neither freeze nor thaw.
"""

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai.database import Database
from jincai.errors import DatabaseUnavailableError, JincaiError

if TYPE_CHECKING:
    from jincai.platform import Platform

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
WITHIN_SECONDS = 2.0


class Freeze(BaseModel):
    """A freeze in force: why, by whom, since when."""

    model_config = ConfigDict(frozen=True)

    reason: str
    by: str
    since: dt.datetime


class FrozenError(JincaiError):
    """Nothing is paid now; what was asked did not happen, and may be asked again under the same keys."""

    def __init__(self, freeze: Freeze) -> None:
        super().__init__(f"payments are frozen: {freeze.reason}")
        self.freeze = freeze


@dataclass(frozen=True)
class Freezer:
    """How a system is frozen.

    Attributes:
        in_force: the freeze that the connection's database knows, or None.
        freeze: (owner's connection in autocommit, reason, by) → the freeze in force, and whether it was there
            before. When it returns, nothing of the system pays any more.
        thaw: the same, back: the freeze that was ended, or None if there was none.
    """

    in_force: Callable[[AsyncConnection], Awaitable[Freeze | None]]
    freeze: Callable[[psycopg.Connection, str, str], tuple[Freeze, bool]]
    thaw: Callable[[psycopg.Connection, str, str], Freeze | None]


@dataclass
class Seen:
    """What this process saw last, for pages; at most `LOOK_SECONDS` old while the database answers."""

    freeze: Freeze | None = None


async def look(lane: Database, freezers: Iterable[Freezer]) -> Freeze | None:
    """The freeze in force, as the database says now; None if a system is not migrated so far.

    Raises:
        DatabaseUnavailableError: no primary answered within two seconds.
    """
    for freezer in freezers:
        try:
            found = await lane.read(freezer.in_force, within=WITHIN_SECONDS)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
            continue
        if found:
            return found
    return None


@asynccontextmanager
async def watching(platform: "Platform") -> AsyncIterator[None]:
    """Keeps ``platform.frozen`` up to date while the process serves."""

    async def watch() -> None:
        while True:
            try:
                platform.frozen.freeze = await look(platform.lane, platform.freezers)
            except DatabaseUnavailableError:
                log.debug("the database is away: pages show the freeze that was seen last")
            await asyncio.sleep(LOOK_SECONDS)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
