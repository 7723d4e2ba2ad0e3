"""Gathers the orders of concurrent requests and posts them together: one transaction for many people.

While one batch is with the database the next one gathers by itself; a batch is taken once the loop has turned
some times without another order coming in, so that those being read right now come along.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import psycopg
from jincai.auth import sessions
from jincai.database import WAIT_SECONDS, Database
from jincai.errors import DatabaseUnavailableError
from jincai.freezing import FrozenError
from jincai.platform import Platform
from psycopg import AsyncConnection

from jincai_payment.order import Decision, Order
from jincai_payment.post import post

log = logging.getLogger(__name__)

# Bounds: orders waiting, orders in a batch, and how long the process's own session lasts.
WAITING_MOST = 5_000
GATHERED_MOST = 2_000
SESSION_SECONDS = 3600
# A request takes a few turns of the loop from its socket to here; nobody waits longer than this for others.
QUIET_TURNS = 10
GATHER_SECONDS = 0.01

_Waiting = tuple[Sequence[Order], "asyncio.Future[list[Decision]]"]


class Gatherer:
    """Posts what many requests ask for; ``door`` opens the session it posts with."""

    def __init__(self, database: Database, door: Database) -> None:
        self._database = database
        self._door = door
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._orders = 0
        self._token = ""
        self._token_ends = 0.0

    async def post(self, orders: Sequence[Order]) -> list[Decision]:
        """One decision for each of ``orders``, committed.

        Raises:
            DatabaseUnavailableError: too many wait already, or no primary answered within 8 seconds. What was
                asked may have been done: asking again under the same keys tells.
            FrozenError: nothing is paid now.
        """
        if self._orders + len(orders) > WAITING_MOST:
            raise DatabaseUnavailableError("too many orders are waiting")
        future: asyncio.Future[list[Decision]] = asyncio.get_running_loop().create_future()
        self._orders += len(orders)
        self._queue.put_nowait((orders, future))
        try:
            return await asyncio.wait_for(future, WAIT_SECONDS + 1)
        except TimeoutError:
            raise DatabaseUnavailableError("the database did not answer in time") from None
        finally:
            self._orders -= len(orders)

    async def run(self) -> None:
        """Post batch after batch, until cancelled."""
        while True:
            waiting = [await self._queue.get()]
            await self._quiet()
            count = len(waiting[0][0])
            while not self._queue.empty() and count < GATHERED_MOST:
                waiting.append(self._queue.get_nowait())
                count += len(waiting[-1][0])
            await self._settle([one for one in waiting if not one[1].done()])

    async def _quiet(self) -> None:
        """Until no more orders come in, for the moment."""
        loop = asyncio.get_running_loop()
        latest, turns, seen = loop.time() + GATHER_SECONDS, 0, self._queue.qsize()
        while turns < QUIET_TURNS and loop.time() < latest:
            await asyncio.sleep(0)
            turns = 0 if self._queue.qsize() > seen else turns + 1
            seen = self._queue.qsize()

    async def _settle(self, waiting: Sequence[_Waiting]) -> None:
        try:
            decisions = await self._write([order for orders, _ in waiting for order in orders])
        except Exception as error:  # noqa: BLE001 - each asker is told, and the next batch is posted
            if len(waiting) > 1 and isinstance(error, psycopg.Error | FrozenError):
                # One of them is to blame (a closed period, say): each answers for itself. While frozen, what
                # was posted before still answers so.
                for one in waiting:
                    await self._settle([one])
                return
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        start = 0
        for orders, future in waiting:
            if not future.done():
                future.set_result(decisions[start : start + len(orders)])
            start += len(orders)

    async def _write(self, orders: Sequence[Order]) -> list[Decision]:
        token = await self._session()
        return await self._database.write(lambda cx: post(cx, orders), token=token, repeatable=True)

    async def _session(self) -> str:
        """The process's own session; the scope of each order's asker is checked apart from it."""
        now = asyncio.get_running_loop().time()
        if now > self._token_ends:
            token = sessions.new_token()
            session = sessions.arguments(token, "payment gatherer", (), SESSION_SECONDS)

            async def open_it(cx: AsyncConnection) -> None:
                await sessions.open_session(cx, session)

            await self._door.write(open_it, token=None, repeatable=False)
            self._token, self._token_ends = token, now + SESSION_SECONDS / 2
        return self._token


@asynccontextmanager
async def running(platform: Platform) -> AsyncIterator[None]:
    """The process's gatherer, for as long as it serves."""
    gatherer = Gatherer(platform.database, platform.door)
    task = asyncio.create_task(gatherer.run())
    platform.services["payment.gatherer"] = gatherer
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
