"""What has become of a payment at the bank, as one expression for every question that shows it."""

from typing import LiteralString

# Of payment.payment AS p: NULL for what only undoes another; what no bank has asked for yet waits.
BANK_STATE: LiteralString = """CASE WHEN p.kind <> 'payment' THEN NULL
            WHEN c.state = 'booked' THEN 'cleared'
            ELSE coalesce(b.state, 'waiting') END"""
BANK_JOINS: LiteralString = """LEFT JOIN payment.bank_order AS b ON b.payment_id = p.id
  LEFT JOIN payment.clearing AS c ON c.id = b.clearing_id"""
