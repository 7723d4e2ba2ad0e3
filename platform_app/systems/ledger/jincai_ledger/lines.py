"""联查: from any figure to the lines that it is made of."""

import datetime as dt

from jincai import paging
from jincai.paging import Page
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai_ledger.asked import LinesQuery


class BookedLine(BaseModel):
    """A line and the voucher it stands on; sums in fen."""

    model_config = ConfigDict(frozen=True)

    voucher_id: int
    line_no: int
    period: int
    voucher_no: int
    vou_date: dt.date
    summary: str
    account: str
    item: str
    agency_code: str
    debit: int
    credit: int


_COUNT = """
SELECT count(*)
  FROM ledger.voucher_line AS l
 WHERE (l.division, l.fiscal_year, l.account) = (%(division)s, %(fiscal_year)s, %(account)s)
   AND (%(item)s::text IS NULL OR l.item = %(item)s)
   AND l.period BETWEEN %(first)s AND %(last)s
"""
# The page's lines first, their vouchers after: thousands of lines would each look for theirs.
_ROWS = """
SELECT l.voucher_id, l.line_no, l.period, v.voucher_no, v.vou_date, v.summary, l.account, l.item,
       l.agency_code, l.debit, l.credit
  FROM (SELECT l.*
          FROM ledger.voucher_line AS l
         WHERE (l.division, l.fiscal_year, l.account) = (%(division)s, %(fiscal_year)s, %(account)s)
           AND (%(item)s::text IS NULL OR l.item = %(item)s)
           AND l.period BETWEEN %(first)s AND %(last)s
         ORDER BY l.item, l.period, l.voucher_id, l.line_no
         LIMIT %(limit)s OFFSET %(offset)s) AS l
  JOIN ledger.voucher AS v ON v.id = l.voucher_id
 ORDER BY l.item, l.period, l.voucher_id, l.line_no
"""


async def find(cx: AsyncConnection, asked: LinesQuery) -> Page[BookedLine]:
    """The lines of an account, perhaps of one item, by item, then in the order they were booked."""
    return await paging.fetch(cx, BookedLine, rows=_ROWS, count=_COUNT, asked=asked)
