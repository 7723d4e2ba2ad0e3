"""Which part of the books is meant, and which books there are."""

from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row


class PeriodKey(NamedTuple):
    """A period of a division's books: 0 opening, 1–12 months, 13 year-end."""

    fiscal_year: int
    division: str
    period: int


class Books(NamedTuple):
    """The books of one division in one year; ``name`` is the division's, if it is known."""

    fiscal_year: int
    division: str
    name: str | None


_EVERY = """
SELECT b.fiscal_year, b.division, d.name
  FROM (SELECT DISTINCT fiscal_year, division FROM ledger.period) AS b
  LEFT JOIN standards.division AS d
    ON d.code = b.division AND b.fiscal_year BETWEEN d.valid_from_year AND coalesce(d.valid_to_year, 9999)
 ORDER BY b.fiscal_year, b.division
 LIMIT 500
"""


async def every(cx: AsyncConnection) -> list[Books]:
    """The books that the session sees, the first 500."""
    async with cx.cursor(row_factory=class_row(Books)) as cursor:
        await cursor.execute(_EVERY)
        return await cursor.fetchall()
