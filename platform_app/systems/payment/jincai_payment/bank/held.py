"""Instructions that receipts speak of, locked, with everything that is decided on.

Locks: instructions by payment, then (as `post` takes them) paying units; quotas, periods and balances follow.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import class_row

from jincai_payment.bank.decide import Held, Refund
from jincai_payment.bank.receipt import Outcome, Receipt

_LOCK = """
SELECT payment_id, state, amount, sent_to, bank_no, paid_date, paid_amount, reason
  FROM payment.bank_order
 WHERE payment_id = ANY (%s)
 ORDER BY payment_id
   FOR NO KEY UPDATE
"""
_PAYMENTS = """
SELECT id, fiscal_year, division, agency_code, unit_id, quota_id, pay_type, pay_date, amount,
       payee_name, payee_account, payee_bank, payee_kind_code, set_mode_code
  FROM payment.payment
 WHERE id = ANY (%s) AND kind = 'payment'
"""
_REFUNDS = """
SELECT payment_id, 'refunded' AS outcome, bank_no, paid_date, amount AS paid_amount, reason, posted_id
  FROM payment.bank_refund
 WHERE payment_id = ANY (%s)
"""
# Nobody undoes anything of these payments until we are done.
_LOCK_UNITS = "SELECT FROM payment.unit WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE"
_UNDONE = "SELECT undoes, sum(amount)::bigint FROM payment.payment WHERE undoes = ANY (%s) GROUP BY 1"
_CLOSED = """
SELECT fiscal_year, division, array_agg(period)
  FROM ledger.period
 WHERE closed_at IS NOT NULL
   AND (fiscal_year, division) IN (SELECT * FROM unnest(%s::smallint[], %s::text[]))
 GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as it was posted; ``amount`` in fen."""

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    unit_id: int
    quota_id: int
    pay_type: str
    pay_date: dt.date
    amount: int
    payee_name: str
    payee_account: str
    payee_bank: str
    payee_kind_code: str
    set_mode_code: str


@dataclass(frozen=True, slots=True)
class _Instruction:
    payment_id: int
    state: str
    amount: int
    sent_to: str | None
    bank_no: str | None
    paid_date: dt.date | None
    paid_amount: int | None
    reason: str | None

    def answer(self) -> Receipt | None:
        """The receipt that settled it."""
        if self.paid_date is None or self.paid_amount is None:
            return None
        outcome: Outcome = "paid" if self.state == "paid" else "failed"
        return Receipt(
            self.payment_id, outcome, self.bank_no or "", self.paid_date, self.paid_amount, self.reason or ""
        )


@dataclass(frozen=True, slots=True)
class _Refund(Receipt):
    posted_id: int | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What receipts are decided on, by payment."""

    payments: dict[int, Payment]
    held: dict[int, Held]


async def lock(cx: AsyncConnection, told: Sequence[Receipt]) -> Ground:
    """Lock what ``told`` speaks of, as far as the session of ``cx`` sees it."""
    ids = sorted({one.payment_id for one in told})
    async with cx.cursor(row_factory=class_row(_Instruction)) as cursor:
        rows = await (await cursor.execute(_LOCK, (ids,))).fetchall()
    instructions = {row.payment_id: row for row in rows}
    async with cx.cursor(row_factory=class_row(Payment)) as cursor_of_payments:
        found = await (await cursor_of_payments.execute(_PAYMENTS, (ids,))).fetchall()
    async with cx.cursor(row_factory=class_row(_Refund)) as cursor_of_refunds:
        refunds = await (await cursor_of_refunds.execute(_REFUNDS, (ids,))).fetchall()
    # A plain receipt of a payment touches no books: it need not wait for the unit.
    undoing = {r.payment_id for r in (*told, *refunds) if r.outcome != "paid"}
    undone = await _undone(cx, [one for one in found if one.id in undoing])
    closed = await _closed(cx, found)
    held = {
        one.id: _held(
            one,
            instructions.get(one.id),
            undone.get(one.id, 0),
            closed.get((one.fiscal_year, one.division), frozenset()),
        )
        for one in found
    }
    for refund in refunds:
        held[refund.payment_id].refunds[refund.bank_no] = Refund(refund, waits=refund.posted_id is None)
    return Ground({one.id: one for one in found}, held)


def _held(payment: Payment, row: _Instruction | None, undone: int, closed: frozenset[int]) -> Held:
    return Held(
        payment_id=payment.id,
        fiscal_year=payment.fiscal_year,
        state=row.state if row else "waiting",
        amount=row.amount if row else payment.amount,
        left=payment.amount + undone,
        pay_date=payment.pay_date,
        sent_to=row.sent_to if row else None,
        answer=row.answer() if row else None,
        closed=closed,
    )


async def _undone(cx: AsyncConnection, payments: Sequence[Payment]) -> dict[int, int]:
    """What was undone of each, in negative fen; nobody undoes more while we hold their units."""
    if not payments:
        return {}
    await cx.execute(_LOCK_UNITS, (sorted({one.unit_id for one in payments}),))
    return dict(await (await cx.execute(_UNDONE, ([one.id for one in payments],))).fetchall())


async def _closed(
    cx: AsyncConnection, payments: Collection[Payment]
) -> dict[tuple[int, str], frozenset[int]]:
    """The closed months of the books that the payments are in."""
    books = sorted({(one.fiscal_year, one.division) for one in payments})
    years, divisions = [year for year, _ in books], [division for _, division in books]
    rows = await (await cx.execute(_CLOSED, (years, divisions))).fetchall()
    return {(year, division): frozenset(months) for year, division, months in rows}
