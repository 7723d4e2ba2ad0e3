"""Beside the requests: the sweep of each night, and whatever waits to be swept or tried."""

import asyncio
import contextlib
import datetime as dt
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection

from jincai.auth import sessions
from jincai.errors import ConfigurationError, DatabaseUnavailableError
from jincai.identity import SHANGHAI
from jincai.monitoring.sweeps import sweep
from jincai.monitoring.sweeps.sweep import SweepAsked, Vocabularies, vocabularies
from jincai.monitoring.sweeps.worker import PLACES, Worker
from jincai.platform import Platform
from jincai.standards.editions import RefusedError

log = logging.getLogger(__name__)

# What posting may have missed, with a month's end and some days to correct a register.
NIGHT_DAYS = 40
POLL_SECONDS = 5.0
AWAY_SECONDS = 60.0
SESSION_SECONDS = 3600.0
ACTOR = "monitor sweeper"
VARIABLE = "JINCAI_SWEEP_AT"

_NIGHT = """
SELECT EXISTS (SELECT FROM monitor.sweep WHERE night = %s), EXISTS (SELECT FROM monitor.edition)
"""


def begins_at() -> dt.time:
    """When a night's sweep begins, in China: `JINCAI_SWEEP_AT`, 02:00 unless it says otherwise.

    Raises:
        ConfigurationError: it is no time of day.
    """
    given = os.environ.get(VARIABLE) or "02:00"
    try:
        return dt.datetime.strptime(given, "%H:%M").replace(tzinfo=SHANGHAI).time()
    except ValueError:
        raise ConfigurationError(f"{VARIABLE}: {given!r} is no time of day", "Write 02:00.") from None


class Nights:
    """Begins each night's sweep once, after the time it is due; one that was missed begins late."""

    def __init__(self, known: Vocabularies, at: dt.time) -> None:
        self._known = known
        self._at = at
        self._done: dt.date | None = None

    def due(self, now: dt.datetime) -> dt.date | None:
        """The night whose sweep may not have begun yet."""
        here = now.astimezone(SHANGHAI)
        return here.date() if here.time() >= self._at and here.date() != self._done else None

    async def begin(self, cx: AsyncConnection, now: dt.datetime) -> int | None:
        """Begin the sweep that is due; its number, or None where there is nothing to begin."""
        night = self.due(now)
        if night is None:
            return None
        row = await (await cx.execute(_NIGHT, (night,))).fetchone()
        begun, rules = row or (False, False)
        number = None
        if rules and not begun:
            asked = SweepAsked(from_day=night - dt.timedelta(days=NIGHT_DAYS), to_day=night)
            number = await sweep.begin(cx, self._known, asked, ACTOR, night=night)
            log.info("night of %s: sweep %s begins", night, number)
        if rules:
            self._done = night
        return number


class Sweeper:
    """One of the process's hands at the sweeps; ``nights`` is for one of them."""

    def __init__(self, platform: Platform, nights: Nights | None) -> None:
        self._platform = platform
        self._nights = nights
        self._worker = Worker(platform.database, vocabularies(platform.systems))
        self._token = ""
        self._token_ends = 0.0

    async def run(self) -> None:
        """Look for work every few seconds, and do it, until cancelled."""
        pause = POLL_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = POLL_SECONDS
            try:
                await self._once()
            except (psycopg.Error, DatabaseUnavailableError, RefusedError) as error:
                log.info("sweeps wait: %s", error)
                pause = AWAY_SECONDS
            except Exception:
                # Whatever a rule brings about, the nights after this one have their sweep.
                log.exception("sweeps wait")
                pause = AWAY_SECONDS

    async def _once(self) -> None:
        token = await self._session()
        if self._nights and self._nights.due(dt.datetime.now(SHANGHAI)):
            nights, now = self._nights, dt.datetime.now(SHANGHAI)
            await self._platform.database.write(
                lambda cx: nights.begin(cx, now), token=token, repeatable=True
            )
        while await self._worker.step(token):
            token = await self._session()

    async def _session(self) -> str:
        """The process's own session, in every division."""
        now = asyncio.get_running_loop().time()
        if now > self._token_ends:
            token = sessions.new_token()
            session = sessions.arguments(token, ACTOR, (), SESSION_SECONDS)

            async def open_it(cx: AsyncConnection) -> None:
                await sessions.open_session(cx, session)

            await self._platform.door.write(open_it, token=None, repeatable=False)
            self._token, self._token_ends = token, now + SESSION_SECONDS / 2
        return self._token


@asynccontextmanager
async def running(platform: Platform) -> AsyncIterator[None]:
    """The process's sweepers, for as long as it serves."""
    nights = Nights(vocabularies(platform.systems), begins_at())
    hands = [Sweeper(platform, nights if number == 0 else None) for number in range(PLACES)]
    tasks = [asyncio.create_task(one.run()) for one in hands]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
