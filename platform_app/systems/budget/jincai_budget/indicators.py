"""Questions about indicators, asked of the database."""

from jincai import paging
from jincai.paging import BooksQuery, Page
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict


class Indicator(BaseModel):
    """One indicator; ``amount`` in fen, ``control_level`` 0 none, 1 warn, 2 strict."""

    model_config = ConfigDict(frozen=True)

    indicator_no: str
    agency_code: str
    exp_func_code: str
    summary: str
    amount: int
    control_level: int


_COUNT = """
SELECT count(*) FROM budget.indicator
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
"""
_ROWS = """
SELECT indicator_no, agency_code, exp_func_code, summary, amount, control_level
  FROM budget.indicator
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
 ORDER BY indicator_no LIMIT %(limit)s OFFSET %(offset)s
"""


async def find(cx: AsyncConnection, asked: BooksQuery) -> Page[Indicator]:
    """The indicators of a division in a year, by number."""
    return await paging.fetch(cx, Indicator, rows=_ROWS, count=_COUNT, asked=asked)
