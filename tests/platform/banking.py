"""What tests of the bank's side stand on: payments that wait for the bank, receipts, and what must hold."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from httpx import Client
from jincai_payment.order import Order

from tests.platform.posting import assert_books_agree, make_quota, order, posted, shown, token_for_all

INSTRUCTIONS = "/api/v1/payment/bank/instructions"
RECEIPTS = "/api/v1/payment/bank/receipts"
DAYS = {"pay_from": "2010-01-01", "pay_to": "2010-12-31"}


@dataclass(frozen=True)
class Bank:
    """An agent bank: its key's bearer, asked through ``client``."""

    client: Client
    token: str

    def pull(self, **asked: Any) -> list[dict[str, object]]:
        answer = self.client.post(INSTRUCTIONS, params={**DAYS, **asked}, headers=self.headers)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, object]] = answer.json()
        return found

    def tell(self, *told: dict[str, object]) -> list[dict[str, object]]:
        answer = self.client.post(RECEIPTS, json=list(told), headers=self.headers)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, object]] = answer.json()
        return found

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Desk:
    """The finance department: its database, its books as it sees them, and the banks that ask it."""

    url: str
    token: str
    books: psycopg.Connection
    client: Client
    opened: Callable[..., str]

    def bank(self, name: str = "icbc", *divisions: str) -> Bank:
        """A bank whose key reaches Nanning, unless divisions are given."""
        token = self.opened("payment.bank", divisions=divisions or ("450100",), actor=name)
        return Bank(self.client, token)

    def post(self, *orders: Order) -> list[int]:
        decisions = asyncio.run(posted(self.url, self.token, orders))
        return [one.payment_id for one in decisions if one.payment_id is not None]

    def pay(
        self,
        *amounts: int,
        division: str = "450100",
        agency: str = "101001",
        pay_type: str = "direct",
        **more: Any,
    ) -> list[int]:
        """Payments that wait for the bank, of one new quota; their ids."""
        quota = make_quota(self.books, sum(amounts), division=division, agency=agency)
        self.books.execute("UPDATE payment.quota SET pay_type = %s WHERE id = %s", (pay_type, quota))
        more |= {"division": division, "agency_code": agency}
        return self.post(*(order(quota, amount, None, **more) for amount in amounts))

    def state(self, payment: int) -> tuple[object, ...]:
        """State, attempts and amount paid of an instruction."""
        query = "SELECT state, attempts, paid_amount FROM payment.bank_order WHERE payment_id = %s"
        row = self.books.execute(query, (payment,)).fetchone()
        assert row
        return row

    def left(self, payment: int) -> int:
        """What the books say is left of a payment, fen."""
        query = "SELECT sum(amount)::bigint FROM payment.payment WHERE %(id)s IN (id, undoes)"
        row = self.books.execute(query, {"id": payment}).fetchone()
        assert row
        return int(row[0])

    def problems(self, payment: int) -> list[tuple[str, int]]:
        """Discrepancies of a payment, and how often each was told."""
        query = "SELECT problem, times FROM payment.bank_discrepancy WHERE payment_id = %s ORDER BY id"
        return self.books.execute(query, (payment,)).fetchall()


@contextmanager
def desk_of(url: str, owner: str, client: Client, opened: Callable[..., str]) -> Iterator[Desk]:
    """A desk whose books are checked once more at its end."""
    token = token_for_all(owner)
    with shown(url, token) as books:
        yield Desk(url, token, books, client, opened)
        assert_bank_agrees(books)


def paid(payment: int, amount: int, number: str = "", **more: object) -> dict[str, object]:
    return {
        "payment_id": payment,
        "outcome": "paid",
        "bank_no": number or f"B{payment}",
        "paid_date": "2010-03-06",
        "paid_amount": amount,
        **more,
    }


def failed(payment: int, **more: object) -> dict[str, object]:
    said = {"outcome": "failed", "bank_no": "", "paid_amount": 0, "reason": "账号户名不符"}
    return {**paid(payment, 0), **said, **more}


def refunded(payment: int, amount: int, number: str, **more: object) -> dict[str, object]:
    return {**paid(payment, amount, number), "outcome": "refunded", "paid_date": "2010-03-08", **more}


def assert_bank_agrees(cx: psycopg.Connection) -> None:
    """The books agree, and they say of each answered payment what the bank said."""
    assert_books_agree(cx)
    # What people undid after it was sent is between them and the bank; the zero-balance check names it.
    differing = """
        SELECT b.payment_id, b.state
          FROM payment.bank_order AS b
          JOIN payment.payment AS p ON p.id = b.payment_id
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(u.amount), 0) AS fen
                 FROM payment.payment AS u
                 LEFT JOIN payment.bank_refund AS r ON r.posted_id = u.id
                WHERE u.undoes = p.id
                  AND (b.state IN ('failed', 'void') OR r.posted_id IS NOT NULL
                       OR u.posted_at <= b.sent_at)) AS u
          LEFT JOIN (SELECT payment_id, sum(amount) AS fen FROM payment.bank_refund
                      WHERE posted_id IS NOT NULL GROUP BY 1) AS r
                 ON r.payment_id = p.id
         WHERE p.amount + u.fen
               <> CASE WHEN b.state IN ('failed', 'void') THEN 0 ELSE b.amount - coalesce(r.fen, 0) END
    """
    assert cx.execute(differing).fetchall() == []
