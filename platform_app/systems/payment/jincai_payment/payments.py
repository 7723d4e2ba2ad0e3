"""Questions about payments, asked of the database."""

import datetime as dt

from jincai import paging
from jincai.paging import BooksQuery, Page
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict


class Payment(BaseModel):
    """One posted payment; ``amount`` in fen, negative only for what undoes one."""

    model_config = ConfigDict(frozen=True)

    id: int
    posting_no: int
    kind: str
    pay_date: dt.date
    agency_code: str
    pay_type: str
    exp_func_code: str
    payee_name: str
    payee_account: str
    purpose: str
    amount: int


_COUNT = """
SELECT count(*) FROM payment.payment
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
"""
_ROWS = """
SELECT id, posting_no, kind, pay_date, agency_code, pay_type, exp_func_code, payee_name, payee_account,
       purpose, amount
  FROM payment.payment
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
 ORDER BY pay_date, id LIMIT %(limit)s OFFSET %(offset)s
"""


async def find(cx: AsyncConnection, asked: BooksQuery) -> Page[Payment]:
    """The payments of a division in a year, by date."""
    return await paging.fetch(cx, Payment, rows=_ROWS, count=_COUNT, asked=asked)
