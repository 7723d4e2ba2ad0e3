"""Questions about payment orders, asked of the database."""

import datetime as dt

from jincai import paging
from jincai.paging import BooksQuery, Page
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict


class PaymentOrder(BaseModel):
    """One payment order; ``amount`` in fen, negative only for refunds and corrections."""

    model_config = ConfigDict(frozen=True)

    order_no: str
    pay_date: dt.date
    agency_code: str
    pay_type: str
    exp_func_code: str
    payee_name: str
    payee_account: str
    purpose: str
    amount: int
    state: str


_COUNT = """
SELECT count(*) FROM payment.payment_order
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
"""
_ROWS = """
SELECT order_no, pay_date, agency_code, pay_type, exp_func_code, payee_name, payee_account, purpose,
       amount, state
  FROM payment.payment_order
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
 ORDER BY pay_date, id LIMIT %(limit)s OFFSET %(offset)s
"""


async def find(cx: AsyncConnection, asked: BooksQuery) -> Page[PaymentOrder]:
    """The payment orders of a division in a year, by date."""
    return await paging.fetch(cx, PaymentOrder, rows=_ROWS, count=_COUNT, asked=asked)
