"""支付指令: payments handed out to the agent bank, each to one bank, again only if it stays unanswered."""

import datetime as dt
from collections.abc import Sequence

from jincai.identity import SHANGHAI
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai_payment import freeze
from jincai_payment.bank.receipt import bank_of

# What an asking bank looks back over, unless it says from when.
DAYS = 31

# In the order of their ids, so that two who do this at once never wait for each other crosswise.
_QUEUE = """
INSERT INTO payment.bank_order (payment_id, fiscal_year, division, agency_code, pay_type, amount, pay_date)
SELECT id, fiscal_year, division, agency_code, pay_type, amount, pay_date
  FROM (SELECT p.*
          FROM payment.payment AS p
         WHERE p.kind = 'payment'
           AND p.division = ANY (%(divisions)s)
           AND p.pay_date BETWEEN %(start)s AND %(end)s
           AND NOT EXISTS (SELECT FROM payment.bank_order AS b WHERE b.payment_id = p.id)
         ORDER BY p.pay_date, p.id
         LIMIT %(limit)s) AS unsent
 ORDER BY id
    ON CONFLICT (payment_id) DO NOTHING
"""
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT payment_id, state = 'waiting' AS fresh
      FROM payment.bank_order
     WHERE division = ANY (%(divisions)s)
       AND pay_date BETWEEN %(start)s AND %(end)s
       AND (state = 'waiting'
            OR (state = 'sent' AND answer_by < statement_timestamp() AND sent_to = %(bank)s))
     ORDER BY pay_date, payment_id
     LIMIT %(limit)s
       FOR NO KEY UPDATE SKIP LOCKED
), counted AS MATERIALIZED (
    SELECT d.payment_id, d.fresh,
           p.amount + coalesce((SELECT sum(u.amount) FROM payment.payment AS u
                                 WHERE u.undoes = p.id), 0)::bigint AS remaining
      FROM due AS d
      JOIN payment.payment AS p ON p.id = d.payment_id
), voided AS (
    UPDATE payment.bank_order AS b
       SET state = 'void', amount = 0
      FROM counted AS c
     WHERE b.payment_id = c.payment_id AND c.fresh AND c.remaining = 0
), handed AS (
    UPDATE payment.bank_order AS b
       SET state = 'sent', attempts = b.attempts + 1, sent_to = %(bank)s, sent_at = statement_timestamp(),
           amount = CASE WHEN c.fresh THEN c.remaining ELSE b.amount END,
           answer_by = statement_timestamp() + make_interval(secs => %(lease)s)
      FROM counted AS c
     WHERE b.payment_id = c.payment_id AND NOT (c.fresh AND c.remaining = 0)
    RETURNING b.payment_id, b.amount, b.attempts, b.answer_by
)
SELECT h.payment_id, p.fiscal_year, p.division, p.agency_code, p.pay_type, p.set_mode_code, p.payee_name,
       p.payee_account, p.payee_bank, p.payee_kind_code, p.purpose, h.amount, p.pay_date, h.attempts,
       h.answer_by
  FROM handed AS h
  JOIN payment.payment AS p ON p.id = h.payment_id
 ORDER BY p.pay_date, h.payment_id
"""


class Instruction(BaseModel):
    """One instruction to pay; ``amount`` in fen.

    The bank pays it once, however often it comes: ``payment_id`` is its name for ever, ``attempts`` says how
    often it was handed out, and after ``answer_by`` it is handed out again.
    """

    model_config = ConfigDict(frozen=True)

    payment_id: int
    fiscal_year: int
    division: str
    agency_code: str
    pay_type: str
    set_mode_code: str
    payee_name: str
    payee_account: str
    payee_bank: str
    payee_kind_code: str
    purpose: str
    amount: int
    pay_date: dt.date
    attempts: int
    answer_by: dt.datetime


class Wanted(BaseModel):
    """What a bank asks for: payments of these divisions, from day to day, none before its day."""

    model_config = ConfigDict(frozen=True)

    divisions: Sequence[str]
    start: dt.date
    end: dt.date
    limit: int
    lease: int

    def arguments(self, actor: str) -> dict[str, object]:
        """As the statements name them."""
        today = dt.datetime.now(SHANGHAI).date()
        return {
            "divisions": list(self.divisions),
            "start": self.start,
            "end": min(self.end, today),
            "limit": self.limit,
            "lease": self.lease,
            "bank": bank_of(actor),
        }


async def queue(cx: AsyncConnection, wanted: Wanted, actor: str) -> None:
    """Put payments that no bank has seen into the queue, as many as are wanted.

    Raises:
        FrozenError: nothing is sent now.
    """
    await freeze.require_thawed(cx)
    await cx.execute(_QUEUE, wanted.arguments(actor))


async def claim(cx: AsyncConnection, wanted: Wanted, actor: str) -> list[Instruction]:
    """Hand out what waits, and again what this bank left unanswered; never what another asker is being given.

    What was undone before it was sent is not sent any more, or with what is left of it.

    Raises:
        FrozenError: nothing is sent now.
    """
    await freeze.require_thawed(cx)
    async with cx.cursor(row_factory=class_row(Instruction)) as cursor:
        with freeze.told():
            await cursor.execute(_CLAIM, wanted.arguments(actor))
        return await cursor.fetchall()
