"""The platform's only store, reached through a bounded pool that outlives a failover.

Time is bounded everywhere: a request waits at most ``WAIT_SECONDS`` for an answer, whether the
database is gone, frozen, without a primary or just busy, and then fails with
`DatabaseUnavailableError`. The pool goes on connecting in the background.
"""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
from psycopg import AsyncConnection, IsolationLevel
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from jincai.errors import DatabaseUnavailableError

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

WAIT_SECONDS = 8.0
WAITING_PER_CONNECTION = 50
CHECK_SECONDS = 1.0
RETRY_SECONDS = 0.1
DRAIN_PAUSE_SECONDS = 1.0
STATEMENT_MILLISECONDS = 5000

# Each host of the URL gets this long; a lost peer is noticed by the kernel in about as much.
_CONNECT = {
    "connect_timeout": 2,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
    "options": f"-c statement_timeout={STATEMENT_MILLISECONDS} -c idle_in_transaction_session_timeout=10000",
}


class Database:
    """A pool of connections to the primary.

    Args:
        url: libpq URL; with several hosts, ``target_session_attrs=read-write`` finds the primary.
        size: connections at most; 50 requests may wait for each.
        name: shown in ``pg_stat_activity`` and in metrics.
    """

    def __init__(self, url: str, *, size: int, name: str) -> None:
        given = psycopg.conninfo.conninfo_to_dict(url)
        self.name = name
        self._drained_at = 0.0
        self._abandoned: set[asyncio.Task[object]] = set()
        self._pool = AsyncConnectionPool(
            url,
            # What the URL says wins over what we think best.
            kwargs={key: value for key, value in _CONNECT.items() if key not in given}
            | {"autocommit": True, "application_name": f"jincai {name}"},
            min_size=1,
            max_size=size,
            name=name,
            timeout=WAIT_SECONDS,
            max_waiting=size * WAITING_PER_CONNECTION,
            max_lifetime=1800,
            # The pool's own backoff doubles up to minutes. It gives up at once instead, and
            # `check` sets one connection to trying again: about once a second until it succeeds.
            reconnect_timeout=1.0,
            reconnect_failed=AsyncConnectionPool.check,
            check=self._check,
            open=False,
        )

    async def open(self) -> None:
        """Start connecting in the background; returns at once, database or not."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close all connections; what is still running gets a second to finish."""
        await self._pool.close(timeout=1.0)

    def stats(self) -> dict[str, int]:
        """The pool's counters, as psycopg_pool names them."""
        return self._pool.get_stats()

    async def read(self, work: "Work[T]", *, within: float = WAIT_SECONDS) -> T:
        """Run ``work`` in a read-only transaction on the primary, again if the connection breaks.

        All statements of ``work`` see one snapshot.

        Raises:
            DatabaseUnavailableError: no answer ``within`` so many seconds.
        """
        deadline = time.monotonic() + within
        while True:
            try:
                return await self._bounded(work, deadline)
            except psycopg.OperationalError as error:
                if not _went_away(error):
                    raise
                log.warning("database %s: connection lost: %s", self.name, str(error).strip())
                await self._drain()
                if time.monotonic() + RETRY_SECONDS >= deadline:
                    raise DatabaseUnavailableError("the connection to the database broke") from error
                await asyncio.sleep(RETRY_SECONDS)

    async def _bounded(self, work: "Work[T]", deadline: float) -> T:
        """Run ``work`` once, and stop waiting for it at ``deadline`` whatever it does.

        Cancelling is not enough: psycopg answers a cancellation by asking the server to cancel and
        waits for its reply, which a frozen server never gives. So the work is left to end by itself.
        """
        used: list[AsyncConnection] = []
        left = max(0.0, deadline - time.monotonic())
        task = asyncio.ensure_future(self._run(work, left, used))
        try:
            done, _ = await asyncio.wait({task}, timeout=left)
        except asyncio.CancelledError:
            self._abandon(task, used)
            raise
        if not done:
            self._abandon(task, used)
            raise DatabaseUnavailableError("the database did not answer in time")
        try:
            return task.result()
        except (PoolTimeout, PoolClosed, TooManyRequests) as error:
            raise DatabaseUnavailableError(f"no connection to the database: {error}") from error
        except psycopg.errors.QueryCanceled as error:
            raise DatabaseUnavailableError(f"the database took too long: {error}") from error

    async def _run(self, work: "Work[T]", timeout: float, used: list[AsyncConnection]) -> T:
        async with self._pool.connection(timeout=timeout) as connection:
            used.append(connection)
            # One snapshot for all statements of the work, so that a count fits its rows.
            await connection.set_read_only(True)
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            async with connection.transaction():
                return await work(connection)

    def _abandon(self, task: "asyncio.Task[T]", used: list[AsyncConnection]) -> None:
        self._abandoned.add(task)
        task.add_done_callback(self._buried)
        for connection in used:
            _shut(connection)
        task.cancel()

    def _buried(self, task: "asyncio.Task[object]") -> None:
        self._abandoned.discard(task)
        if not task.cancelled() and task.exception():
            log.info("database %s: abandoned work ended: %s", self.name, task.exception())

    async def _check(self, connection: AsyncConnection) -> None:
        """Whether a pooled connection still leads to the primary; called before each use."""
        question = asyncio.ensure_future(_is_standby(connection))
        try:
            done, _ = await asyncio.wait({question}, timeout=CHECK_SECONDS)
        except asyncio.CancelledError:
            self._abandon(question, [connection])
            raise
        if not done:
            _shut(connection)
        try:
            standby = await question
        except psycopg.Error:
            await self._drain()
            raise
        if standby:
            await connection.close()
            await self._drain()
            raise psycopg.OperationalError("the server has become a standby")

    async def _drain(self) -> None:
        """Replace every pooled connection, since what broke one has likely broken all."""
        now = time.monotonic()
        if now - self._drained_at > DRAIN_PAUSE_SECONDS:
            self._drained_at = now
            with contextlib.suppress(PoolClosed):
                await self._pool.drain()


def _went_away(error: psycopg.Error) -> bool:
    """Whether the connection or the primary is gone, rather than the statement wrong or too slow."""
    return error.sqlstate is None or error.sqlstate[:2] in {"08", "57"}


async def _is_standby(connection: AsyncConnection) -> bool:
    row = await (await connection.execute("SELECT pg_is_in_recovery()")).fetchone()
    return bool(row and row[0])


def _shut(connection: AsyncConnection) -> None:
    """Shut the connection's socket, so that whoever waits on it learns that it is over."""
    with (
        contextlib.suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as copy,
    ):
        copy.shutdown(socket.SHUT_RDWR)
