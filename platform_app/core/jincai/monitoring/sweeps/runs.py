"""Sweeps as they are looked at: what was asked, how far they are, what they found."""

import datetime as dt

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai.monitoring.sweeps import sweep
from jincai.paging import Page, PageQuery, fetch
from jincai.standards.editions import RefusedError

# Of the divisions that the session sees; days gone by tell the progress.
_RUN = """
SELECT s.id, s.night, s.from_day, s.to_day, s.rules, s.edition, s.state, s.trouble, s.made_by, s.made_at,
       s.begun_at, s.ended_at, p.divisions, p.judged, p.found, p.percent
  FROM monitor.sweep AS s
 CROSS JOIN LATERAL (
       SELECT count(DISTINCT division)::integer AS divisions, coalesce(sum(judged), 0)::bigint AS judged,
              coalesce(sum(found), 0)::bigint AS found,
              coalesce(floor(avg(CASE WHEN done THEN 100.0 ELSE 100.0 * (cursor_day - s.from_day + 1)
                                      / (s.to_day - s.from_day + 1) END)), 100)::integer AS percent
         FROM monitor.sweep_part
        WHERE sweep = s.id) AS p
"""
_SEEN = " WHERE p.divisions > 0"
_PARTS = """
SELECT subject, division, cursor_day, judged, found, done
  FROM monitor.sweep_part
 WHERE sweep = %s
 ORDER BY subject DESC, division
"""


class Sweep(BaseModel):
    """A sweep.

    ``night``: of a scheduled one; ``trouble``: rule → why it could not be judged; ``percent`` done.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    night: dt.date | None
    from_day: dt.date
    to_day: dt.date
    rules: list[str]
    edition: int
    state: str
    trouble: dict[str, str]
    made_by: str
    made_at: dt.datetime
    begun_at: dt.datetime | None
    ended_at: dt.datetime | None
    divisions: int
    judged: int
    found: int
    percent: int

    @property
    def unfinished(self) -> bool:
        """Whether it waits or runs."""
        return self.state in {"waiting", "running"}


class Part(BaseModel):
    """One division's records of one kind: judged up to some record of ``cursor_day``; alerts ``found``."""

    model_config = ConfigDict(frozen=True)

    subject: str
    division: str
    cursor_day: dt.date
    judged: int
    found: int
    done: bool


class SweepWithParts(Sweep):
    """A sweep, with what it did in each division."""

    parts: list[Part]


async def find(cx: AsyncConnection, asked: PageQuery) -> Page[Sweep]:
    """Sweeps with divisions that the session sees, newest first."""
    return await fetch(
        cx,
        Sweep,
        rows=f"{_RUN}{_SEEN} ORDER BY s.id DESC LIMIT %(limit)s OFFSET %(offset)s",
        count="SELECT count(DISTINCT sweep) FROM monitor.sweep_part",
        asked=asked,
    )


async def get(cx: AsyncConnection, number: int) -> SweepWithParts:
    """One sweep.

    Raises:
        RefusedError: 404, there is none that the session sees.
    """
    async with cx.cursor(row_factory=class_row(Sweep)) as cursor:
        found = await (await cursor.execute(f"{_RUN}{_SEEN} AND s.id = %s", (number,))).fetchone()
    if found is None:
        raise RefusedError(404, f"没有回扫 {number}。", f"There is no sweep {number}.")
    async with cx.cursor(row_factory=class_row(Part)) as cursor:
        parts = await (await cursor.execute(_PARTS, (number,))).fetchall()
    return SweepWithParts(**found.model_dump(), parts=parts)


async def cancel(cx: AsyncConnection, number: int) -> SweepWithParts:
    """Stop it, whoever asked for it; what it found stays.

    Raises:
        RefusedError: 404, there is none that the session sees.
    """
    await get(cx, number)
    await sweep.cancel(cx, number)
    return await get(cx, number)
