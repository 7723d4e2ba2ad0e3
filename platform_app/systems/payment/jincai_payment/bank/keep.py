"""Writes what receipts changed: answers, refunds, discrepancies; one statement for each kind."""

from collections.abc import Iterable

from psycopg import AsyncConnection

from jincai_payment.bank.decide import Held
from jincai_payment.bank.held import Ground

_SETTLE = """
UPDATE payment.bank_order AS b
   SET state = a.state, bank_no = nullif(a.bank_no, ''), paid_date = a.paid_date, paid_amount = a.paid_amount,
       reason = nullif(a.reason, ''), answered_by = %s, answered_at = statement_timestamp()
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::date[], %s::bigint[], %s::text[])
       AS a (payment_id, state, bank_no, paid_date, paid_amount, reason)
 WHERE b.payment_id = a.payment_id AND b.state = 'sent'
"""
_REFUND = """
INSERT INTO payment.bank_refund (payment_id, bank_no, fiscal_year, division, agency_code, pay_type, amount,
                                 paid_date, reason, posted_id, told_by)
SELECT r.*, %s
  FROM unnest(%s::bigint[], %s::text[], %s::smallint[], %s::text[], %s::text[], %s::text[], %s::bigint[],
              %s::date[], %s::text[], %s::bigint[]) AS r
    ON CONFLICT (payment_id, bank_no) DO UPDATE
   SET posted_id = excluded.posted_id
 WHERE payment.bank_refund.posted_id IS NULL
"""
_DROP = """
DELETE FROM payment.bank_refund
 WHERE (payment_id, bank_no) IN (SELECT * FROM unnest(%s::bigint[], %s::text[])) AND posted_id IS NULL
"""
_DIFFER = """
INSERT INTO payment.bank_discrepancy (payment_id, fiscal_year, division, agency_code, problem, outcome,
                                      bank_no, paid_date, paid_amount, reason, known_state, known_amount,
                                      told_by)
SELECT d.*, %s
  FROM unnest(%s::bigint[], %s::smallint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
              %s::date[], %s::bigint[], %s::text[], %s::text[], %s::bigint[]) AS d
    ON CONFLICT (payment_id, problem, outcome, bank_no, paid_date, paid_amount) DO UPDATE
   SET times = payment.bank_discrepancy.times + 1
"""


async def settled(cx: AsyncConnection, ground: Ground, actor: str) -> None:
    """Note the answers of instructions that were settled now."""
    answers = [one.answer for one in ground.held.values() if one.settled and one.answer]
    rows = [(a.payment_id, a.outcome, a.bank_no, a.paid_date, a.paid_amount, a.reason) for a in answers]
    if rows:
        await cx.execute(_SETTLE, [actor, *_columns(rows)])


async def refunds(cx: AsyncConnection, ground: Ground, posted: dict[str, int], actor: str) -> None:
    """Note refunds that came or came true now, with the entry of each; forget those that cannot be."""
    dropped = [(one.payment_id, number) for one in ground.held.values() for number in one.dropped]
    if dropped:
        await cx.execute(_DROP, _columns(dropped))
    rows = [row for one in ground.held.values() for row in _refunds(ground, one, posted)]
    if rows:
        await cx.execute(_REFUND, [actor, *_columns(rows)])


def _refunds(ground: Ground, held: Held, posted: dict[str, int]) -> Iterable[tuple[object, ...]]:
    payment = ground.payments[held.payment_id]
    entries = {one.bank_no: posted[one.key] for one in held.undone if one.kind == "refund"}
    for number, refund in held.refunds.items():
        if refund.new or number in entries:
            told = refund.told
            yield (
                *(payment.id, number, payment.fiscal_year, payment.division, payment.agency_code),
                *(payment.pay_type, told.paid_amount, told.paid_date, told.reason, entries.get(number)),
            )


async def discrepancies(cx: AsyncConnection, ground: Ground, actor: str) -> None:
    """Keep what contradicts, each different receipt once."""
    rows: dict[tuple[object, ...], tuple[object, ...]] = {}
    for held in ground.held.values():
        payment = ground.payments[held.payment_id]
        for told, problem in held.differing:
            said = (told.outcome, told.bank_no, told.paid_date, told.paid_amount)
            rows[payment.id, problem, *said] = (
                *(payment.id, payment.fiscal_year, payment.division, payment.agency_code, problem),
                *(*said, told.reason, held.state, held.amount),
            )
    if rows:
        # In one order, so that two batches never wait for each other.
        await cx.execute(_DIFFER, [actor, *_columns([rows[key] for key in sorted(rows, key=str)])])


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
