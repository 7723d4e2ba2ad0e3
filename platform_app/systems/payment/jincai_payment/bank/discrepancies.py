"""差异: receipts that contradict what is known, and how people settled them with the bank."""

import datetime as dt

from jincai import paging
from jincai.paging import BooksQuery, Page
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai_payment.bank.refused import RefusedError

PROBLEMS: dict[str, tuple[str, str]] = {
    "not_sent": ("未发送的指令", "Never sent"),
    "other_bank": ("非受理银行回单", "Sent to another bank"),
    "date": ("日期不合理", "A date that cannot be"),
    "amount": ("金额不符", "Another amount"),
    "contradiction": ("与已收回单矛盾", "Contradicts a receipt"),
    "not_paid": ("未支付却退款", "Refund of what was not paid"),
    "closed": ("年度已结账", "The year's books are closed"),
    "over_refunded": ("退款超过支付", "Refunded beyond what was paid"),
}


class Discrepancy(BaseModel):
    """A receipt that changed nothing; amounts in fen. ``known_…`` is what was known when it came first."""

    model_config = ConfigDict(frozen=True)

    id: int
    payment_id: int
    fiscal_year: int
    division: str
    agency_code: str
    problem: str
    outcome: str
    bank_no: str
    paid_date: dt.date
    paid_amount: int
    reason: str
    known_state: str
    known_amount: int
    told_by: str
    told_at: dt.datetime
    times: int
    settled_by: str | None
    settled_at: dt.datetime | None
    note: str | None


_COUNT = """
SELECT count(*) FROM payment.bank_discrepancy WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
"""
_ROWS = """
SELECT *
  FROM payment.bank_discrepancy
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
 ORDER BY id DESC
 LIMIT %(limit)s OFFSET %(offset)s
"""
_ONE = "SELECT * FROM payment.bank_discrepancy WHERE id = %s"
_SETTLE = """
UPDATE payment.bank_discrepancy
   SET settled_by = %(actor)s, settled_at = statement_timestamp(), note = %(note)s
 WHERE id = %(id)s AND settled_at IS NULL
"""


async def find(cx: AsyncConnection, asked: BooksQuery) -> Page[Discrepancy]:
    """Discrepancies of a division in a year, the newest first."""
    return await paging.fetch(cx, Discrepancy, rows=_ROWS, count=_COUNT, asked=asked)


async def one(cx: AsyncConnection, number: int) -> Discrepancy:
    """Discrepancy ``number``.

    Raises:
        RefusedError: there is none.
    """
    async with cx.cursor(row_factory=class_row(Discrepancy)) as cursor:
        found = await (await cursor.execute(_ONE, (number,))).fetchone()
    if found is None:
        raise RefusedError(404, f"没有差异 {number}。", f"There is no discrepancy {number}.")
    return found


async def settle(cx: AsyncConnection, number: int, note: str, actor: str) -> Discrepancy:
    """Say how it was settled with the bank; said again by the same person in the same words it stands.

    Raises:
        RefusedError: there is none, or it was settled otherwise.
    """
    await cx.execute(_SETTLE, {"id": number, "note": note, "actor": actor})
    found = await one(cx, number)
    if (found.settled_by, found.note) != (actor, note):
        raise RefusedError(
            409,
            f"差异 {number} 已由 {found.settled_by} 处理:{found.note}",
            f"Discrepancy {number} was settled by {found.settled_by}: {found.note}",
        )
    return found
