"""Does, piece by piece, whatever waits: payments left unjudged, then sweeps, then back-tests.

Every piece is one transaction that takes its work with a row lock, so any number of processes may help; two
places, taken with advisory locks, bound what history costs the database at once.
"""

from dataclasses import dataclass

from psycopg import AsyncConnection

from jincai.database import Database
from jincai.monitoring.sweeps import backtest, sweep, unjudged
from jincai.monitoring.sweeps.sweep import Vocabularies

# Pieces of history judged at once, by all processes of a site together.
PLACES = 2
_LOCK = 0x73776565  # "swee"
# The longest piece: all rules together, then each by itself.
WITHIN_SECONDS = 600.0

_PLACE = "SELECT pg_try_advisory_xact_lock(%s, %s)"


@dataclass(frozen=True)
class Worker:
    """Works with ``token``, which sees all divisions; ``sweep`` or ``back_test``: on this one alone."""

    database: Database
    known: Vocabularies
    sweep: int | None = None
    back_test: int | None = None

    async def step(self, token: str) -> bool:
        """One piece of what waits; whether there was any, and a place for it."""
        return await self.database.write(self._step, token=token, repeatable=True, within=WITHIN_SECONDS)

    async def _step(self, cx: AsyncConnection) -> bool:
        if not await _place(cx):
            return False
        if self.sweep is not None:
            return await sweep.step(cx, self.known, self.sweep)
        if self.back_test is not None:
            return await backtest.step(cx, self.known, self.back_test)
        return (
            await unjudged.step(cx, self.known)
            or await sweep.step(cx, self.known)
            or await backtest.step(cx, self.known)
        )


async def _place(cx: AsyncConnection) -> bool:
    for number in range(PLACES):
        row = await (await cx.execute(_PLACE, (_LOCK, number))).fetchone()
        if row and row[0]:
            return True
    return False
