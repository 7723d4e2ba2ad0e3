"""What tests of the socket stand on: an edition in force, a key's session, orders to push."""

from itertools import count
from typing import Any

import psycopg
from jincai.auth import keys

PERMISSIONS = ("socket.push", "socket.pull", "payment.post", "payment.read", "budget.read", "ledger.read")
DOCUMENTS = "/api/v1/socket/documents"
KINDS = "/api/v1/socket/kinds"
_numbers = count(1)


def publish_codes(owner: str, fiscal_year: int = 2010) -> None:
    """An edition in force with the unit of `order` beside what is shipped; again changes nothing."""
    given = {"year": fiscal_year}
    with psycopg.connect(owner) as cx:
        there = "SELECT FROM standards.edition WHERE fiscal_year = %(year)s AND made_by = 'a'"
        if cx.execute(there, given).fetchone():
            return
        cx.execute(
            """
            INSERT INTO standards.edition (fiscal_year, number, made_by)
            SELECT fiscal_year, edition + 1, 'a' FROM standards.in_force WHERE fiscal_year = %(year)s
            """,
            given,
        )
        cx.execute(
            """
            INSERT INTO standards.code (fiscal_year, edition, element, code, name, parent, attributes)
            SELECT fiscal_year, edition + 1, element, code, name, parent, attributes
              FROM standards.code JOIN standards.in_force USING (fiscal_year, edition)
             WHERE fiscal_year = %(year)s
             UNION ALL
            SELECT fiscal_year, edition + 1, 'agency', '101001', '示例单位', NULL, '{"division": "450100"}'
              FROM standards.in_force
             WHERE fiscal_year = %(year)s
            """,
            given,
        )
        cx.execute(
            """
            UPDATE standards.edition SET state = 'published', published_by = 'b', published_at = now()
             WHERE fiscal_year = %(year)s AND state = 'draft'
            """,
            given,
        )


def new_key(auth: str, name: str, *, divisions: tuple[str, ...] | None = ("450100",)) -> str:
    """An API key that may do all that the socket offers, in ``divisions``."""
    with psycopg.connect(auth) as cx:
        return keys.add(cx, name, PERMISSIONS, divisions=divisions, days=1, by="test")


def order(quota: int, **more: Any) -> dict[str, Any]:
    """A payment order of 100 fen; its key is new."""
    return {
        "idempotency_key": f"socket-{quota}-{next(_numbers):06}",
        "fiscal_year": 2010,
        "division": "450100",
        "agency_code": "101001",
        "quota_id": quota,
        "amount": 100,
        "pay_date": "2010-03-05",
        "payee_name": "示例文具店",
        "payee_account": "4500000000000001",
        "purpose": "办公用品采购",
        **more,
    }


def push(*documents: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A push of payment orders; its key is new."""
    return {
        "kind": "payment_order",
        "fiscal_year": 2010,
        "division": "450100",
        "idempotency_key": f"push-{next(_numbers):08}",
        "documents": list(documents),
        **more,
    }
