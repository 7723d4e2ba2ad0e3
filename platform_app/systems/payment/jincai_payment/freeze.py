"""冻结支付: the row that stops every payment of a site, and the wait until none is on its way.

Whatever pays takes a shared lock and then reads the row (``payment.frozen()``). Whoever freezes commits the
row, and then waits for exactly those transactions that hold the lock at that moment: whatever had not seen it
is among them. Nobody ever takes the lock alone, so no payment waits for anything more than it did.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from jincai.errors import JincaiError
from jincai.freezing import Freeze, Freezer, FrozenError
from psycopg import AsyncConnection

# A payment's transaction takes milliseconds, and none outlives its time limits.
WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.01
LOCK = 0x6A696E66727A

_IN_FORCE = "SELECT reason, frozen_by, frozen_at FROM payment.freeze WHERE thawed_at IS NULL"
_ONE = "SELECT reason, frozen_by, frozen_at FROM payment.freeze WHERE id = %s"
_FREEZE = """
INSERT INTO payment.freeze (reason, frozen_by)
VALUES (%s, %s)
    ON CONFLICT ((true)) WHERE thawed_at IS NULL DO NOTHING
RETURNING reason, frozen_by, frozen_at
"""
# Ended transactions give their locks back; numbers of transactions are not used twice.
_PAYING = """
SELECT virtualtransaction
  FROM pg_locks
 WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (classid::bigint << 32) | objid::bigint = %s AND objsubid = 1
"""
_THAW = """
UPDATE payment.freeze
   SET thaw_reason = %s, thawed_by = %s, thawed_at = clock_timestamp()
 WHERE thawed_at IS NULL
RETURNING reason, frozen_by, frozen_at
"""


class StillPayingError(JincaiError):
    """Frozen, but a transaction that had begun before has not ended."""


async def require_thawed(cx: AsyncConnection) -> None:
    """Nothing is frozen, and whoever freezes now waits until this transaction has ended.

    Raises:
        FrozenError: it is.
    """
    row = await (await cx.execute("SELECT payment.frozen()")).fetchone()
    if row and row[0] is not None:
        raise await error_of(cx, row[0])


@contextmanager
def told() -> Iterator[None]:
    """Around a statement that pays: frozen since it was asked, it is refused by the table itself.

    Raises:
        FrozenError: in place of the table's error.
    """
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate != "JC010":
            raise
        raise FrozenError(Freeze.model_validate_json(error.diag.message_detail or "")) from error


async def error_of(cx: AsyncConnection, number: int) -> FrozenError:
    """The error to raise where ``payment.frozen()`` named the freeze ``number``, thawed meanwhile or not."""
    found = _freeze(await (await cx.execute(_ONE, (number,))).fetchone())
    if found is None:
        raise RuntimeError(f"freeze {number} is gone")
    return FrozenError(found)


async def in_force(cx: AsyncConnection) -> Freeze | None:
    """The freeze in force."""
    return _freeze(await (await cx.execute(_IN_FORCE)).fetchone())


def freeze(cx: psycopg.Connection, reason: str, by: str) -> tuple[Freeze, bool]:
    """Freeze, and wait until nothing that began before is on its way; (the freeze, was it there before).

    Frozen already, the first reason stands, and the wait is the same.

    Raises:
        StillPayingError: something has not ended within `WAIT_SECONDS`; the freeze stands.
    """
    made = _freeze(cx.execute(_FREEZE, (reason, by)).fetchone())
    found = made or _freeze(cx.execute(_IN_FORCE).fetchone())
    if found is None:
        raise JincaiError("somebody thawed at the same moment", "Freeze again if it is to be frozen.")
    _wait(cx)
    return found, made is None


def thaw(cx: psycopg.Connection, reason: str, by: str) -> Freeze | None:
    """End the freeze in force; None if there is none."""
    return _freeze(cx.execute(_THAW, (reason, by)).fetchone())


def _wait(cx: psycopg.Connection) -> None:
    """Until whatever is paying now has ended; what begins later sees the freeze."""
    deadline = time.monotonic() + WAIT_SECONDS
    before = _paying(cx)
    while left := before & _paying(cx):
        if time.monotonic() > deadline:
            raise StillPayingError(
                f"frozen, but {len(left)} transactions from before are still open after {WAIT_SECONDS:g} s",
                "Nothing new is paid. Freeze again to wait on; pg_locks (locktype advisory) names them.",
            )
        time.sleep(LOOK_SECONDS)


def _paying(cx: psycopg.Connection) -> set[str]:
    return {row[0] for row in cx.execute(_PAYING, (LOCK,)).fetchall()}


def _freeze(row: tuple[object, ...] | None) -> Freeze | None:
    if row is None:
        return None
    reason, by, since = row
    return Freeze.model_validate({"reason": reason, "by": by, "since": since})


FREEZER = Freezer(in_force=in_force, freeze=freeze, thaw=thaw)
