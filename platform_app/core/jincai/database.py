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
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import psycopg
from psycopg import AsyncConnection, IsolationLevel
from psycopg.errors import Diagnostic
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from jincai.errors import DatabaseUnavailableError

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

WAIT_SECONDS = 8.0
WAITING_PER_CONNECTION = 50
CHECK_SECONDS = 1.0
RETRY_SECONDS = 0.1
# A switchover takes about a second: who looks only once a second adds half of one.
RECONNECT_SECONDS = 0.25
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
        self._url = url
        # What the URL says wins over what we think best.
        self._kwargs = {key: value for key, value in _CONNECT.items() if key not in given}
        self._pool = AsyncConnectionPool(
            url,
            kwargs=self._kwargs | {"autocommit": True, "application_name": f"jincai {name}"},
            min_size=1,
            max_size=size,
            name=name,
            timeout=WAIT_SECONDS,
            max_waiting=size * WAITING_PER_CONNECTION,
            max_lifetime=1800,
            # The pool's own backoff doubles up to minutes. It gives up at once instead, and
            # `check` sets one connection to trying again: as often as this until it succeeds.
            reconnect_timeout=RECONNECT_SECONDS,
            reconnect_failed=AsyncConnectionPool.check,
            check=self.check,
            open=False,
        )

    async def open(self) -> None:
        """Start connecting in the background; returns at once, database or not."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close all connections; what is still running gets a second to finish."""
        await self._pool.close(timeout=1.0)

    async def apart(self, name: str) -> AsyncConnection:
        """A connection to the primary outside the pool, for what holds one all the time, such as LISTEN.

        Whoever has it calls `check` now and then, and asks for another when it breaks.

        Raises:
            psycopg.Error: no primary answered.
        """
        kwargs: dict[str, Any] = {**self._kwargs, "application_name": f"jincai {name}"}
        connection = await AsyncConnection.connect(self._url, autocommit=True, **kwargs)
        await self.check(connection)
        return connection

    def stats(self) -> dict[str, int]:
        """The pool's counters, as psycopg_pool names them."""
        return self._pool.get_stats()

    async def read(self, work: "Work[T]", *, token: str | None = None, within: float = WAIT_SECONDS) -> T:
        """Run ``work`` in a read-only transaction on the primary, again if the connection breaks.

        All statements of ``work`` see one snapshot, and of business rows those of the session of ``token``.

        Raises:
            DatabaseUnavailableError: no answer ``within`` so many seconds.
        """
        return await self._insist(_Transaction(work, token, writes=False), within)

    async def write(
        self, work: "Work[T]", *, token: str | None, repeatable: bool = False, within: float = WAIT_SECONDS
    ) -> T:
        """Run ``work`` in a transaction on the primary; what it returns is committed, on the standby as well.

        While no primary answers the caller waits. A connection that breaks before COMMIT was sent undoes
        everything, so ``work`` runs again. Broken during COMMIT, nobody knows: ``work`` runs again only if it
        is ``repeatable``, that is, if it settles by an idempotency key whether it was done already.

        Raises:
            DatabaseUnavailableError: no answer ``within`` so many seconds, or one that proves nothing.
        """
        return await self._insist(_Transaction(work, token, writes=True, repeatable=repeatable), within)

    async def _insist(self, asked: "_Transaction[T]", within: float) -> T:
        deadline = time.monotonic() + within
        while True:
            try:
                return await self._bounded(asked, deadline)
            except (psycopg.OperationalError, UnprotectedCommitError) as error:
                if isinstance(error, psycopg.OperationalError) and not _went_away(error):
                    raise
                log.warning("database %s: connection lost: %s", self.name, str(error).strip())
                await self._drain()
                if asked.in_doubt and not asked.repeatable:
                    raise DatabaseUnavailableError("the connection broke during COMMIT") from error
                if time.monotonic() + RETRY_SECONDS >= deadline:
                    raise DatabaseUnavailableError("the connection to the database broke") from error
                await asyncio.sleep(RETRY_SECONDS)

    async def _bounded(self, asked: "_Transaction[T]", deadline: float) -> T:
        """Run the transaction once, and stop waiting for it at ``deadline`` whatever it does.

        Cancelling is not enough: psycopg answers a cancellation by asking the server to cancel and
        waits for its reply, which a frozen server never gives. So the work is left to end by itself.
        """
        used: list[AsyncConnection] = []
        left = max(0.0, deadline - time.monotonic())
        task = asyncio.ensure_future(self._run(asked, left, used))
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

    async def _run(self, asked: "_Transaction[T]", timeout: float, used: list[AsyncConnection]) -> T:
        async with self._pool.connection(timeout=timeout) as connection:
            used.append(connection)
            return await asked.run(connection)

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

    async def check(self, connection: AsyncConnection) -> None:
        """Whether a connection still leads to the primary; called before each use of a pooled one.

        Raises:
            psycopg.Error: it does not, and is closed.
        """
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


class UnprotectedCommitError(Exception):
    """A COMMIT that only this server has, since waiting for the standby was cancelled: no answer."""


@dataclass
class _Transaction(Generic[T]):
    """One transaction to be run, perhaps several times, until one of its runs is known to count."""

    work: "Work[T]"
    token: str | None
    writes: bool
    repeatable: bool = False
    # A COMMIT was sent and not answered.
    in_doubt: bool = False
    warned: list[str] = field(default_factory=list)

    async def run(self, connection: AsyncConnection) -> T:
        # A read sees one snapshot, so that a count fits its rows; a write sees what others committed.
        await connection.set_read_only(not self.writes)
        level = IsolationLevel.READ_COMMITTED if self.writes else IsolationLevel.REPEATABLE_READ
        await connection.set_isolation_level(level)
        connection.add_notice_handler(self._note)
        try:
            async with connection.transaction():
                if self.in_doubt:
                    # This COMMIT waits for what the lost one left, even if the work now writes nothing.
                    await connection.execute("SELECT pg_logical_emit_message(true, 'jincai', '')")
                if self.token is not None:
                    await connection.execute("SELECT set_config('jincai.session', %s, true)", (self.token,))
                found = await self.work(connection)
                self.warned.clear()
                self.in_doubt = self.writes
        finally:
            connection.remove_notice_handler(self._note)
        if self.warned:
            raise UnprotectedCommitError(self.warned[0])
        self.in_doubt = False
        return found

    def _note(self, diagnostic: Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            self.warned.append(diagnostic.message_primary or "warned at COMMIT")


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
