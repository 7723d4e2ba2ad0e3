"""Takes posted payments into the search, seconds behind: in every process, but one at a time."""

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from jincai import settings
from jincai.auth import sessions
from jincai.database import Database
from jincai.errors import ConfigurationError, DatabaseUnavailableError
from jincai.platform import Platform
from psycopg import AsyncConnection

log = logging.getLogger(__name__)

# A batch takes a quarter of a second; nobody waits for it, but whoever posts shares the machine with it.
BATCH = 5_000
PAUSE_SECONDS = 1.0
# While it cannot be done (no primary, not migrated yet).
TROUBLE_SECONDS = 10.0
SWEEP_EVERY = 10
SESSION_SECONDS = 3600
_ACTOR = "payment search"
_INDEX = "SELECT indexed, more FROM payment.index_search(%s)"
_SWEEP = "SELECT payment.sweep_unsent(%s, %s)"


class Indexer:
    """One process's part; ``door`` opens the session it works with."""

    def __init__(self, database: Database, door: Database) -> None:
        self._database = database
        self._door = door
        self._token = ""
        self._token_ends = 0.0
        self._swept = 0
        self._rounds = 0

    async def run(self) -> None:
        """Batch after batch, until cancelled."""
        while True:
            try:
                more = await self.step()
            except (psycopg.Error, DatabaseUnavailableError) as error:
                log.warning("payments are not taken into the search: %s", str(error).strip())
                self._token_ends = 0.0
                await asyncio.sleep(TROUBLE_SECONDS)
                continue
            if not more:
                await asyncio.sleep(PAUSE_SECONDS)

    async def step(self) -> bool:
        """One batch; whether there is more."""
        token = await self._session()
        # Again after a broken connection, it goes on from where the cursor then is.
        _, more = await self._database.write(_batch, token=token, repeatable=True)
        self._rounds += 1
        if self._rounds % SWEEP_EVERY == 0:
            self._swept = await self._database.write(self._sweep, token=token, repeatable=True)
        return more

    async def _sweep(self, cx: AsyncConnection) -> int:
        row = await (await cx.execute(_SWEEP, (self._swept, BATCH))).fetchone()
        return row[0] if row else 0

    async def _session(self) -> str:
        now = asyncio.get_running_loop().time()
        if now > self._token_ends:
            token = sessions.new_token()
            session = sessions.arguments(token, _ACTOR, (), SESSION_SECONDS)

            async def open_it(cx: AsyncConnection) -> None:
                await sessions.open_session(cx, session)

            await self._door.write(open_it, token=None, repeatable=False)
            self._token, self._token_ends = token, now + SESSION_SECONDS / 2
        return self._token


async def _batch(cx: AsyncConnection) -> tuple[int, bool]:
    row = await (await cx.execute(_INDEX, (BATCH,))).fetchone()
    return (row[0], row[1]) if row else (0, False)


@asynccontextmanager
async def running(platform: Platform) -> AsyncIterator[None]:
    """The process's indexer, for as long as it serves."""
    task = asyncio.create_task(Indexer(platform.database, platform.door).run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def everything(owner_url: str) -> tuple[int, float]:
    """Take in all that is there now: how many it was, and in how many seconds.

    For whoever loads a year and does not want to wait; the planner then learns what there is.
    """
    count, begun = 0, time.monotonic()
    with psycopg.connect(owner_url, autocommit=True) as cx:
        token = sessions.open_for_process(cx, _ACTOR, (), SESSION_SECONDS)
        cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        while row := cx.execute(_INDEX, (BATCH,)).fetchone():
            count += row[0]
            if not row[1]:
                break
        seconds = time.monotonic() - begun
        cx.execute("VACUUM ANALYZE payment.search")
        cx.execute("ANALYZE payment.search_unsent")
    return count, seconds


def main() -> None:
    """`python -m jincai_payment.fund_query.index`: on the database that is configured."""
    owner_url = settings.from_environment().owner_url
    if not owner_url:
        raise ConfigurationError("no database to index", "Set JINCAI_MIGRATION_DATABASE_URL.")
    count, seconds = everything(owner_url)
    sys.stdout.write(f"{count:,} payments taken into the search in {seconds:.1f} s\n")


if __name__ == "__main__":
    main()
