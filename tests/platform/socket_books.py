"""What tests of the socket stand on: an edition in force, a key's session, orders to push."""

from itertools import count
from typing import Any

import psycopg
from jincai.auth import keys

PERMISSIONS = ("socket.push", "socket.pull", "payment.post", "payment.read", "budget.read", "ledger.read")
DOCUMENTS = "/api/v1/socket/documents"
KINDS = "/api/v1/socket/kinds"
CODES = {"agency": ["101001"], "set_mode": ["1", "2"], "payee_kind": ["1", "2"]}
_numbers = count(1)


def publish_codes(owner: str, fiscal_year: int = 2010) -> None:
    """An edition in force with the codes that `order` uses; again changes nothing."""
    with psycopg.connect(owner) as cx:
        if cx.execute("SELECT FROM standards.in_force WHERE fiscal_year = %s", (fiscal_year,)).fetchone():
            return
        cx.execute(
            "INSERT INTO standards.edition (fiscal_year, number, made_by) VALUES (%s, 1, 'a')", (fiscal_year,)
        )
        for element, codes in CODES.items():
            for code in codes:
                cx.execute(
                    "INSERT INTO standards.code (fiscal_year, edition, element, code, name)"
                    " VALUES (%s, 1, %s, %s, '示例')",
                    (fiscal_year, element, code),
                )
        cx.execute(
            "UPDATE standards.edition SET state = 'published', published_by = 'b', published_at = now()"
            " WHERE fiscal_year = %s AND number = 1",
            (fiscal_year,),
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
