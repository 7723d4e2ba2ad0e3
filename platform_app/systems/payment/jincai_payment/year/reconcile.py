"""Reconciliation: payments, both sides of the ledger and the use of quotas, to the fen."""

from dataclasses import dataclass

import psycopg

_LINES = """
WITH paid AS (
    SELECT division, fiscal_year, exp_func_code AS item, sum(amount)::bigint AS fen, count(*) AS number
      FROM payment.payment GROUP BY 1, 2, 3
), used AS (
    SELECT division, fiscal_year, exp_func_code AS item, sum(used)::bigint AS fen
      FROM payment.quota GROUP BY 1, 2, 3
), booked AS (
    SELECT l.division, l.fiscal_year, l.item, sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit
      FROM ledger.voucher_line AS l
      JOIN ledger.voucher AS v ON v.id = l.voucher_id AND v.source = 'payment'
     GROUP BY 1, 2, 3
), kept AS (
    SELECT b.division, b.fiscal_year, b.item, sum(b.debit)::bigint AS debit
      FROM ledger.balance AS b
     WHERE b.account IN (SELECT r.debit_account FROM ledger.posting_rule AS r WHERE r.event LIKE 'payment%%')
     GROUP BY 1, 2, 3
)
SELECT division, fiscal_year, item, coalesce(p.number, 0), coalesce(p.fen, 0), coalesce(b.debit, 0),
       coalesce(b.credit, 0), coalesce(k.debit, 0), coalesce(u.fen, 0)
  FROM paid AS p
  FULL JOIN booked AS b USING (division, fiscal_year, item)
  FULL JOIN kept AS k USING (division, fiscal_year, item)
  FULL JOIN used AS u USING (division, fiscal_year, item)
 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One division, year and item; everything but ``number`` in fen."""

    division: str
    fiscal_year: int
    item: str
    number: int
    paid: int
    debited: int
    credited: int
    balance: int
    quota_used: int

    @property
    def agrees(self) -> bool:
        """Whether payments, both sides of the vouchers, the kept balances and the quotas say the same."""
        return self.paid == self.debited == self.credited == self.balance == self.quota_used


def reconcile(cx: psycopg.Connection) -> list[Line]:
    """Every division and item that ``cx``'s session may see."""
    return [Line(*row) for row in cx.execute(_LINES.replace("%%", "%")).fetchall()]
