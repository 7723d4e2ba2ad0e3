"""Wakes the streams of this process when alerts were committed: one LISTEN, however many watch.

It survives a failover: a lost connection is made anew until a primary answers, and whoever watches then reads
what came in between.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg

from jincai.database import Database
from jincai.platform import Platform

log = logging.getLogger(__name__)

SERVICE = "monitor.alerts"
CHANNEL = "monitor_alert"
CHECK_SECONDS = 5.0
RETRY_SECONDS = 1.0
CONNECT_SECONDS = 10.0
STREAMS_MOST = 200
STREAMS_OF_ONE = 10
# Streams read with so few connections that they never take the pool from requests.
READING_MOST = 3


class FullError(Exception):
    """No more streams: of the process, or (``own``) of this person."""

    def __init__(self, *, own: bool) -> None:
        super().__init__("too many streams")
        self.own = own


class Feed:
    """What the streams of one process share; ``reading`` is held while one of them reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._woken = asyncio.Event()
        self._open: Counter[str] = Counter()
        self.reading = asyncio.Semaphore(READING_MOST)

    @property
    def woken(self) -> asyncio.Event:
        """Set at the next alert; to be taken before reading, so that none comes unnoticed in between."""
        return self._woken

    def wake(self) -> None:
        """Let every stream read."""
        woken, self._woken = self._woken, asyncio.Event()
        woken.set()

    def refuse_if_full(self, actor: str) -> None:
        """Whether ``actor`` may open one more stream.

        Raises:
            FullError: there are too many.
        """
        if self._open.total() >= STREAMS_MOST:
            raise FullError(own=False)
        if self._open[actor] >= STREAMS_OF_ONE:
            raise FullError(own=True)

    @contextmanager
    def seat(self, actor: str) -> Iterator[None]:
        """Counts a stream of ``actor`` while it is open."""
        self._open[actor] += 1
        try:
            yield
        finally:
            self._open[actor] -= 1
            self._open += Counter()  # drops those without any

    async def listen(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                connection = await asyncio.wait_for(self._database.apart("alerts"), CONNECT_SECONDS)
                async with connection:
                    await self._follow(connection)
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("alerts: not listening: %s", str(error).strip() or type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, connection: psycopg.AsyncConnection) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        self.wake()  # for what came while nobody listened
        while True:
            async for _ in connection.notifies(timeout=CHECK_SECONDS):
                self.wake()
            await self._database.check(connection)


@asynccontextmanager
async def running(platform: Platform) -> AsyncIterator[None]:
    """Listen beside the requests."""
    feed = Feed(platform.database)
    platform.services[SERVICE] = feed
    task = asyncio.create_task(feed.listen())
    try:
        yield
    finally:
        platform.leaving.set()
        feed.wake()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def of(platform: Platform) -> Feed:
    """The feed of this process."""
    feed = platform.services[SERVICE]
    if not isinstance(feed, Feed):
        raise TypeError("the application was not started")
    return feed
