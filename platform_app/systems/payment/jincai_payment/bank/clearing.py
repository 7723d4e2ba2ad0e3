"""清算: what the bank paid from zero-balance accounts, less what came back, is owed by the treasury account.

One person draws the sheet up, another confirms it; then it is booked, as one voucher. What it consists of is
marked with it, so nothing is cleared twice, and what comes late goes into the day's next sheet.
"""

import datetime as dt
from typing import Literal, LiteralString, Self

from jincai.identity import SHANGHAI
from jincai.paging import DivisionCode, Year
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, model_validator

from jincai_payment.bank.refused import RefusedError
from jincai_payment.words import PAY_TYPES

PayType = Literal["direct", "authorised"]
STATES: dict[str, tuple[str, str]] = {
    "requested": ("待确认", "To be confirmed"),
    "booked": ("已记账", "Booked"),
    "withdrawn": ("已撤回", "Withdrawn"),
}


class Day(BaseModel):
    """What is to be cleared: all that was paid or came back up to a day and is not cleared yet.

    In the new year it is still the old year's books, on their last day.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fiscal_year: Year
    division: DivisionCode
    clearing_date: dt.date
    pay_type: PayType

    @model_validator(mode="after")
    def _is_in_its_year(self) -> Self:
        if self.clearing_date.year != self.fiscal_year:
            raise ValueError("clearing_date is not in the fiscal year")
        if self.clearing_date > dt.datetime.now(SHANGHAI).date():
            raise ValueError("clearing_date has not come yet")
        return self


class Clearing(BaseModel):
    """One sheet; ``amount`` = ``paid`` - ``refunded``, in fen, negative if more came back than was paid."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    clearing_date: dt.date
    pay_type: str
    number: int
    state: Literal["requested", "booked", "withdrawn"]
    paid_count: int
    paid: int
    refund_count: int
    refunded: int
    amount: int
    voucher_id: int | None
    made_by: str
    made_at: dt.datetime
    checked_by: str | None
    checked_at: dt.datetime | None


_LOCK = """
WITH paid AS MATERIALIZED (
    SELECT payment_id, paid_amount
      FROM payment.bank_order
     WHERE division = %(division)s AND fiscal_year = %(fiscal_year)s AND pay_type = %(pay_type)s
       AND state = 'paid' AND clearing_id IS NULL
       AND least(paid_date, make_date(%(fiscal_year)s, 12, 31)) <= %(clearing_date)s
     ORDER BY payment_id
       FOR NO KEY UPDATE
), back AS MATERIALIZED (
    SELECT payment_id, bank_no, amount
      FROM payment.bank_refund
     WHERE division = %(division)s AND fiscal_year = %(fiscal_year)s AND pay_type = %(pay_type)s
       AND posted_id IS NOT NULL AND clearing_id IS NULL
       AND least(paid_date, make_date(%(fiscal_year)s, 12, 31)) <= %(clearing_date)s
     ORDER BY payment_id, bank_no
       FOR NO KEY UPDATE
)
SELECT (SELECT array_agg(payment_id) FROM paid) AS paid_ids,
       (SELECT coalesce(sum(paid_amount), 0)::bigint FROM paid) AS paid,
       (SELECT array_agg(payment_id) FROM back) AS refund_ids,
       (SELECT array_agg(bank_no) FROM back) AS refund_nos,
       (SELECT coalesce(sum(amount), 0)::bigint FROM back) AS refunded
"""
_OPEN = """
SELECT *
  FROM payment.clearing
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s AND clearing_date = %(clearing_date)s
   AND pay_type = %(pay_type)s AND state = 'requested'
"""
_DRAW = """
INSERT INTO payment.clearing (fiscal_year, division, clearing_date, pay_type, number, paid_count, paid,
                              refund_count, refunded, made_by)
SELECT %(fiscal_year)s, %(division)s, %(clearing_date)s, %(pay_type)s,
       coalesce(max(number), 0) + 1, %(paid_count)s, %(paid)s, %(refund_count)s, %(refunded)s, %(actor)s
  FROM payment.clearing
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s AND clearing_date = %(clearing_date)s
   AND pay_type = %(pay_type)s
RETURNING *
"""
_MARK = """
WITH paid AS (
    UPDATE payment.bank_order SET clearing_id = %s WHERE payment_id = ANY (%s)
)
UPDATE payment.bank_refund SET clearing_id = %s
 WHERE (payment_id, bank_no) IN (SELECT * FROM unnest(%s::bigint[], %s::text[]))
"""
_FREE = """
WITH paid AS (
    UPDATE payment.bank_order SET clearing_id = NULL WHERE clearing_id = %(id)s
)
UPDATE payment.bank_refund SET clearing_id = NULL WHERE clearing_id = %(id)s
"""
_LOCK_ONE = "SELECT * FROM payment.clearing WHERE id = %s FOR NO KEY UPDATE"
# One voucher for the sheet; red if more came back than was paid, none if both are the same.
_BOOK = """
WITH sheet AS MATERIALIZED (
    SELECT c.*, nextval('ledger.voucher_id') AS new_voucher
      FROM payment.clearing AS c
     WHERE c.id = %(id)s AND c.amount <> 0
), booked AS MATERIALIZED (
    SELECT ledger.book(array_agg(ROW(
               new_voucher, fiscal_year, division, clearing_date, 'clearing', '*', '', '', amount,
               %(summary)s, 'clearing', id, made_by, %(actor)s
           )::ledger.booking)) AS done
      FROM sheet
    HAVING count(*) > 0
)
UPDATE payment.clearing AS c
   SET state = 'booked', checked_by = %(actor)s, checked_at = statement_timestamp(),
       voucher_id = (SELECT s.new_voucher FROM sheet AS s, booked AS b)
 WHERE c.id = %(id)s
RETURNING c.*
"""
_WITHDRAW = """
UPDATE payment.clearing
   SET state = 'withdrawn', checked_by = %(actor)s, checked_at = statement_timestamp()
 WHERE id = %(id)s
RETURNING *
"""


async def draw(cx: AsyncConnection, day: Day, actor: str) -> Clearing:
    """The sheet of ``day``, drawn up by ``actor``; the one that waits for its confirmation, if there is one.

    Raises:
        RefusedError: nothing is left to be cleared.
    """
    given = day.model_dump()
    # What two people draw up at once: the second finds nothing left, and then the first one's sheet.
    found = await (await cx.execute(_LOCK, given)).fetchone() or (None, 0, None, None, 0)
    paid_ids, paid, refund_ids, refund_nos, refunded = found
    if open_one := await _one(cx, _OPEN, given):
        return open_one
    if not paid_ids and not refund_ids:
        raise RefusedError(
            409,
            f"截至 {day.clearing_date} 没有待清算的{PAY_TYPES[day.pay_type][0]}款项。",
            f"Nothing that was paid up to {day.clearing_date} is left to be cleared.",
        )
    sums = {
        "paid_count": len(paid_ids or ()),
        "paid": paid,
        "refund_count": len(refund_ids or ()),
        "refunded": refunded,
    }
    made = await _one(cx, _DRAW, {**given, **sums, "actor": actor})
    if made is None:
        raise RuntimeError("an INSERT returned no row")
    await cx.execute(_MARK, (made.id, paid_ids or [], made.id, refund_ids or [], refund_nos or []))
    return made


async def confirm(cx: AsyncConnection, number: int, actor: str) -> Clearing:
    """Book sheet ``number``; confirmed before, it is answered as it stands, and nothing is booked again.

    Raises:
        RefusedError: there is none, it was withdrawn, or ``actor`` drew it up.
        psycopg.errors.Error: ``JC003``, the month is closed; ``JC004``, there is no posting rule for it.
    """
    sheet = await _sheet(cx, number)
    if sheet.state == "booked":
        return sheet
    if sheet.state == "withdrawn":
        raise RefusedError(
            409, f"清算单 {number} 已撤回,请重新编制。", f"Sheet {number} was withdrawn; draw up another."
        )
    if sheet.made_by == actor:
        raise RefusedError(
            403,
            "编制人不能确认自己的清算单,请另一人确认。",
            "Another person than who drew it up confirms it.",
        )
    way = PAY_TYPES[sheet.pay_type][0]
    summary = f"{sheet.clearing_date} {way}清算 第{sheet.number}号"
    return await _moved(cx, _BOOK, {"id": number, "actor": actor, "summary": summary})


async def withdraw(cx: AsyncConnection, number: int, actor: str) -> Clearing:
    """Take sheet ``number`` back before it is booked; what it consisted of is to be cleared again.

    Raises:
        RefusedError: there is none, or it is booked.
    """
    sheet = await _sheet(cx, number)
    if sheet.state == "withdrawn":
        return sheet
    if sheet.state == "booked":
        raise RefusedError(
            409, f"清算单 {number} 已记账,不能撤回。", f"Sheet {number} is booked and cannot be withdrawn."
        )
    await cx.execute(_FREE, {"id": number})
    return await _moved(cx, _WITHDRAW, {"id": number, "actor": actor})


async def _sheet(cx: AsyncConnection, number: int) -> Clearing:
    found = await _one(cx, _LOCK_ONE, (number,))
    if found is None:
        raise RefusedError(404, f"没有清算单 {number}。", f"There is no clearing sheet {number}.")
    return found


async def _moved(cx: AsyncConnection, statement: LiteralString, given: dict[str, object]) -> Clearing:
    found = await _one(cx, statement, given)
    if found is None:
        raise RuntimeError("a locked sheet is gone")
    return found


async def _one(
    cx: AsyncConnection, statement: LiteralString, given: dict[str, object] | tuple[object, ...]
) -> Clearing | None:
    async with cx.cursor(row_factory=class_row(Clearing)) as cursor:
        return await (await cursor.execute(statement, given)).fetchone()
