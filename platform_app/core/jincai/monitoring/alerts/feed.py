"""Wakes the streams of this process when alerts were committed: one LISTEN, however many watch.

It survives a failover: a lost connection is made anew until a primary answers, and whoever watches then reads
what came in between.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection

from jincai.database import Database, Work
from jincai.platform import Platform

log = logging.getLogger(__name__)

T = TypeVar("T")

SERVICE = "monitor.alerts"
CHANNEL = "monitor_alert"
CHECK_SECONDS = 5.0
RETRY_SECONDS = 1.0
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
    """What the streams of one process share."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._woken = asyncio.Event()
        self._open: Counter[str] = Counter()
        self._reading = asyncio.Semaphore(READING_MOST)
        self._reads: set[asyncio.Task[Any]] = set()

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
                connection = await _whole(self._database.apart("alerts"))
                async with connection:
                    await self._follow(connection)
            except (psycopg.Error, OSError) as error:
                log.warning("alerts: not listening: %s", str(error).strip() or type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, connection: AsyncConnection) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        self.wake()  # for what came while nobody listened
        while True:
            async for _ in connection.notifies(timeout=CHECK_SECONDS):
                self.wake()
            await _whole(self._database.check(connection))

    async def read(self, work: "Work[T]", token: str) -> T:
        """Read for a stream, as its session may.

        A stream that is given up meanwhile leaves the read to end by itself, which it does within seconds:
        cancelling would cost the pool a connection for every page that somebody closes.

        Raises:
            DatabaseUnavailableError: no primary answers.
        """
        task = asyncio.ensure_future(self._read(work, token))
        self._reads.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def _read(self, work: "Work[T]", token: str) -> T:
        async with self._reading:
            return await self._database.read(work, token=token)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._reads.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits has it; if nobody does, it matters to nobody


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Let ``work`` end before a cancellation goes on: its connection must not be closed under it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if (
            not task.cancelled()
            and not task.exception()
            and isinstance(left := task.result(), AsyncConnection)
        ):
            await left.close()
        raise


@asynccontextmanager
async def running(platform: Platform) -> AsyncIterator[None]:
    """Listen beside the requests."""
    feed = Feed(platform.database)
    platform.services[SERVICE] = feed

    async def part() -> None:
        await platform.leaving.wait()
        feed.wake()  # each stream sees that it is over

    tasks = [asyncio.create_task(one) for one in (feed.listen(), part())]
    try:
        yield
    finally:
        platform.leaving.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def of(platform: Platform) -> Feed:
    """The feed of this process."""
    feed = platform.services[SERVICE]
    if not isinstance(feed, Feed):
        raise TypeError("the application was not started")
    return feed
