"""What is asked of the database for a fund's way, stage by stage."""

from collections.abc import Mapping
from typing import Literal, LiteralString

Stage = Literal[
    "indicator", "change", "plan", "quota", "application", "held", "payment", "undone", "sent", "answered",
    "refund", "discrepancy", "clearing", "alert",
]  # fmt: skip
# Each yields: number, at, who, amount, state, note; the rest of a step follows from its stage.
STEPS: dict[Stage, LiteralString] = {
    "indicator": """
SELECT i.id AS number, i.created_at AS at, NULL AS who, i.amount, NULL AS state,
       i.indicator_no || ' ' || i.summary AS note
  FROM budget.indicator AS i
 WHERE i.id = %(indicator)s
""",
    "change": """
SELECT c.id AS number, c.at, c.made_by || ' → ' || c.checked_by AS who, c.amount, c.kind AS state,
       c.reason AS note
  FROM budget.indicator_change AS c
 WHERE c.indicator_id = %(indicator)s
 ORDER BY c.id
""",
    "plan": """
SELECT l.id AS number, coalesce(l.settled_at, l.made_at) AS at,
       concat_ws(' → ', l.made_by, l.checked_by) AS who,
       l.amount, l.state, l.purpose AS note
  FROM payment.plan AS l
 WHERE l.indicator_id = %(indicator)s AND l.pay_type = %(pay_type)s AND l.state IN ('submitted', 'approved')
 ORDER BY l.month, l.id
""",
    "quota": """
SELECT q.id AS number, NULL::timestamptz AS at, NULL AS who, q.granted AS amount, NULL AS state, NULL AS note
  FROM payment.quota AS q
 WHERE q.id = %(quota)s
""",
    "application": """
SELECT t.application_id AS number, t.at, t.by_whom AS who, NULL::bigint AS amount, t.action AS state,
       t.reason AS note
  FROM payment.application_step AS t
 WHERE t.application_id = %(application)s
 ORDER BY t.id
""",
    "held": """
SELECT h.id AS number, coalesce(h.decided_at, h.asked_at) AS at,
       concat_ws(' → ', h.asked_by, h.decided_by) AS who,
       h.amount, h.state, array_to_string(h.rules, ', ') || ': ' || h.reason AS note
  FROM payment.held AS h
 WHERE h.payment_id = %(payment)s
""",
    "payment": """
SELECT p.id AS number, p.posted_at AS at, p.posted_by AS who, p.amount, p.kind AS state, p.purpose AS note
  FROM payment.payment AS p
 WHERE p.id = %(payment)s
""",
    "sent": """
SELECT b.payment_id AS number, b.sent_at AS at, b.sent_to AS who, b.amount, NULL AS state,
       NULL AS note
  FROM payment.bank_order AS b
 WHERE b.payment_id = %(payment)s
""",
    "answered": """
SELECT b.payment_id AS number, b.answered_at AS at, b.answered_by AS who, b.paid_amount AS amount, b.state,
       concat_ws(' ', b.bank_no, b.reason) AS note
  FROM payment.bank_order AS b
 WHERE b.payment_id = %(payment)s AND b.answered_at IS NOT NULL
""",
    "discrepancy": """
SELECT d.id AS number, d.told_at AS at, d.told_by AS who, d.paid_amount AS amount,
       CASE WHEN d.settled_at IS NULL THEN 'open' ELSE 'settled' END AS state, d.note
  FROM payment.bank_discrepancy AS d
 WHERE d.payment_id = %(payment)s
 ORDER BY d.id
""",
    "clearing": """
SELECT c.id AS number, coalesce(c.checked_at, c.made_at) AS at,
       concat_ws(' → ', c.made_by, c.checked_by) AS who,
       c.amount, c.state, c.clearing_date::text AS note, c.voucher_id AS ledger
  FROM payment.bank_order AS b
  JOIN payment.clearing AS c ON c.id = b.clearing_id
 WHERE b.payment_id = %(payment)s
""",
    "refund": """
SELECT r.payment_id AS number, r.told_at AS at, r.told_by AS who, -r.amount AS amount,
       CASE WHEN r.posted_id IS NULL THEN 'waiting' ELSE 'posted' END AS state,
       concat_ws(' ', r.bank_no, r.reason) AS note
  FROM payment.bank_refund AS r
 WHERE r.payment_id = %(payment)s
 ORDER BY r.told_at
""",
    "undone": """
SELECT u.id AS number, u.posted_at AS at, u.posted_by AS who, u.amount, u.kind AS state, u.purpose AS note,
       u.voucher_id AS ledger
  FROM payment.payment AS u
 WHERE u.undoes = %(payment)s
 ORDER BY u.id
""",
    "alert": """
SELECT a.id AS number, a.found_at AS at, NULL AS who, a.amount, a.level AS state,
       a.rule || ' v' || a.version AS note
  FROM monitor.alert AS a
 WHERE NOT a.shadow
   AND (a.subject = 'payment' AND a.subject_id = ANY (%(payments)s)
        OR a.subject = 'held' AND a.subject_id = ANY (%(held)s)
        OR a.subject = 'indicator' AND a.subject_id = %(indicator)s)
 ORDER BY a.id
""",
}
LINKS: Mapping[Stage, str] = {
    "indicator": "/budget/indicators/{number}",
    "plan": "/payment/plans/{number}",
    "quota": "/payment/quotas?fiscal_year={fiscal_year}&division={division}&agency_code={agency_code}",
    "application": "/payment/applications/{number}",
    "held": "/payment/held/{number}",
    "payment": "/payment/payments/{number}",
    "undone": "/payment/payments/{number}",
    "discrepancy": "/payment/bank/discrepancies/{number}",
    "clearing": "/payment/clearing?fiscal_year={fiscal_year}&division={division}&day={note}",
    "alert": "/monitor/alerts/{number}",
}
