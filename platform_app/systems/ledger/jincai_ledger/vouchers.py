"""Questions about vouchers, asked of the database."""

import datetime as dt

from jincai import paging
from jincai.paging import BooksQuery, Page
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict


class Line(BaseModel):
    """One side of a voucher: an account of the year's chart and its item, debit or credit in fen."""

    model_config = ConfigDict(frozen=True)

    account: str
    item: str
    debit: int
    credit: int


class Voucher(BaseModel):
    """One voucher with its lines; ``period`` is the month it is booked in, the sums are in fen."""

    model_config = ConfigDict(frozen=True)

    period: int
    voucher_no: int
    vou_date: dt.date
    summary: str
    debit: int
    credit: int
    lines: list[Line]


_COUNT = """
SELECT count(*) FROM ledger.voucher
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
"""
_ROWS = """
SELECT v.period, v.voucher_no, v.vou_date, v.summary,
       coalesce(l.debit, 0) AS debit, coalesce(l.credit, 0) AS credit, coalesce(l.lines, '[]') AS lines
  FROM ledger.voucher AS v
  LEFT JOIN LATERAL (
           SELECT sum(l.debit)::bigint AS debit,
                  sum(l.credit)::bigint AS credit,
                  json_agg(json_build_object('account', l.account, 'item', l.item,
                                             'debit', l.debit, 'credit', l.credit)
                           ORDER BY l.line_no) AS lines
             FROM ledger.voucher_line AS l
            WHERE l.voucher_id = v.id) AS l ON true
 WHERE v.fiscal_year = %(fiscal_year)s AND v.division = %(division)s
 ORDER BY v.period, v.voucher_no
 LIMIT %(limit)s OFFSET %(offset)s
"""


async def find(cx: AsyncConnection, asked: BooksQuery) -> Page[Voucher]:
    """The vouchers of a division in a year, by period and number."""
    return await paging.fetch(cx, Voucher, rows=_ROWS, count=_COUNT, asked=asked)
