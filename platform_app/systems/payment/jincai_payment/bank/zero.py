"""零余额检查: at a day's end each zero-balance account is zero, or every fen on it has a name.

A payment opens its zero-balance account by its amount, a return closes it again, and so does the clearing.
What is still open has one of the names below; what the ledger says beyond that is unexplained, an error.
"""

import datetime as dt
from typing import Annotated, Literal

from jincai.paging import DivisionCode, Year
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

Name = Literal[
    "not_sent",
    "unanswered",
    "not_cleared",
    "refund_not_cleared",
    "failed_without_return",
    "undone_without_bank",
]
NAMES: dict[str, tuple[str, str]] = {
    "not_sent": ("未发送银行", "Not sent to the bank yet"),
    "unanswered": ("已发送未回单", "Sent, without a receipt"),
    "not_cleared": ("已支付未清算", "Paid, not cleared"),
    "refund_not_cleared": ("退款未清算", "Refunded, not cleared"),
    "failed_without_return": ("支付失败未冲回", "Failed, not returned in the books"),
    "undone_without_bank": ("无银行回单的冲销", "Undone without the bank's receipt"),
}


class Asked(BaseModel):
    """Whose accounts, and at the end of which day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fiscal_year: Year
    division: DivisionCode
    day: Annotated[dt.date, Field(ge=dt.date(1949, 1, 1))]


class Difference(BaseModel):
    """What is open on one account under one name; ``amount`` in fen, owed by the treasury.

    ``holder`` is the unit whose account it is (授权支付), "" for the fiscal zero-balance account (直接支付).
    """

    model_config = ConfigDict(frozen=True)

    pay_type: str
    holder: str
    name: Name
    number: int
    amount: int


class Report(BaseModel):
    """Zero-balance accounts of a division at a day's end; amounts in fen.

    Attributes:
        accounts: how many there are: those that quotas allow to pay from.
        differences: everything open, account by account.
        explained: their sum.
        ledger: what the ledger says is open.
        unexplained: ``ledger`` - ``explained``: vouchers on these accounts that no payment or clearing made.
        zero: whether every account is zero and the ledger says so too.
    """

    model_config = ConfigDict(frozen=True)

    fiscal_year: int
    division: str
    day: dt.date
    accounts: int
    differences: list[Difference]
    explained: int
    ledger: int
    unexplained: int
    zero: bool


_ACCOUNTS = """
SELECT count(DISTINCT (pay_type, CASE pay_type WHEN 'authorised' THEN agency_code ELSE '' END))
  FROM payment.quota
 WHERE division = %(division)s AND fiscal_year = %(fiscal_year)s
"""
# A receipt of the new year belongs to the old year's last day. What was answered after the day was
# unanswered on it.
_DIFFERENCES = """
WITH undone AS (
    SELECT undoes, sum(amount)::bigint AS fen
      FROM payment.payment
     WHERE division = %(division)s AND fiscal_year = %(fiscal_year)s AND pay_date <= %(day)s
       AND undoes IS NOT NULL
     GROUP BY 1
), back AS (
    SELECT r.payment_id, sum(r.amount)::bigint AS told,
           coalesce(sum(r.amount) FILTER (WHERE c.state = 'booked' AND c.clearing_date <= %(day)s), 0)::bigint
           AS cleared
      FROM payment.bank_refund AS r
      LEFT JOIN payment.clearing AS c ON c.id = r.clearing_id
     WHERE r.division = %(division)s AND r.fiscal_year = %(fiscal_year)s AND r.posted_id IS NOT NULL
       AND least(r.paid_date, make_date(%(fiscal_year)s, 12, 31)) <= %(day)s
     GROUP BY 1
), each AS (
    SELECT p.pay_type, CASE p.pay_type WHEN 'authorised' THEN p.agency_code ELSE '' END AS holder,
           p.amount + coalesce(u.fen, 0) - CASE WHEN c.id IS NULL THEN 0 ELSE b.paid_amount END
           + coalesce(r.cleared, 0) AS fen,
           coalesce(r.cleared - r.told, 0) AS refunds,
           coalesce(b.state, 'waiting') AS state,
           coalesce(least(b.paid_date, make_date(%(fiscal_year)s, 12, 31)) <= %(day)s, false) AS answered,
           c.id IS NOT NULL AS cleared
      FROM payment.payment AS p
      LEFT JOIN payment.bank_order AS b ON b.payment_id = p.id
      LEFT JOIN payment.clearing AS c
             ON c.id = b.clearing_id AND c.state = 'booked' AND c.clearing_date <= %(day)s
      LEFT JOIN undone AS u ON u.undoes = p.id
      LEFT JOIN back AS r ON r.payment_id = p.id
     WHERE p.division = %(division)s AND p.fiscal_year = %(fiscal_year)s AND p.pay_date <= %(day)s
       AND p.kind = 'payment'
)
SELECT pay_type, holder,
       CASE WHEN state = 'failed' AND answered THEN 'failed_without_return'
            WHEN cleared AND fen = refunds THEN 'refund_not_cleared'
            WHEN cleared THEN 'undone_without_bank'
            WHEN state = 'paid' AND answered THEN 'not_cleared'
            WHEN state IN ('waiting', 'void') THEN 'not_sent'
            ELSE 'unanswered' END AS name,
       count(*) AS number, sum(fen)::bigint AS amount
  FROM each
 WHERE fen <> 0
 GROUP BY 1, 2, 3
 ORDER BY 1, 2, 3
"""
_LEDGER = """
WITH account AS (
    SELECT DISTINCT credit_account AS code
      FROM ledger.posting_rule
     WHERE event IN ('payment_direct', 'payment_authorised')
       AND %(fiscal_year)s BETWEEN valid_from_year AND valid_to_year
), months AS (
    SELECT sum(credit - debit) AS fen
      FROM ledger.balance
     WHERE division = %(division)s AND fiscal_year = %(fiscal_year)s AND account IN (SELECT code FROM account)
       AND period < extract(month FROM %(day)s::date)
), days AS (
    SELECT sum(l.credit - l.debit) AS fen
      FROM ledger.voucher_line AS l
      JOIN ledger.voucher AS v ON v.id = l.voucher_id
     WHERE l.division = %(division)s AND l.fiscal_year = %(fiscal_year)s
       AND l.account IN (SELECT code FROM account)
       AND l.period = extract(month FROM %(day)s::date) AND v.vou_date <= %(day)s
)
SELECT (coalesce(m.fen, 0) + coalesce(d.fen, 0))::bigint FROM months AS m, days AS d
"""


async def report(cx: AsyncConnection, asked: Asked) -> Report:
    """The zero-balance accounts as of the end of ``asked.day``, by what is known now."""
    given = asked.model_dump()
    async with cx.cursor(row_factory=class_row(Difference)) as cursor:
        differences = await (await cursor.execute(_DIFFERENCES, given)).fetchall()
    accounts = await (await cx.execute(_ACCOUNTS, given)).fetchone() or (0,)
    ledger = await (await cx.execute(_LEDGER, given)).fetchone() or (0,)
    explained = sum(one.amount for one in differences)
    return Report(
        fiscal_year=asked.fiscal_year,
        division=asked.division,
        day=asked.day,
        accounts=accounts[0],
        differences=differences,
        explained=explained,
        ledger=ledger[0],
        unexplained=ledger[0] - explained,
        zero=not differences and ledger[0] == 0,
    )
