"""What tests of posting stand on: quotas of their own, a session, and the sums that must agree."""

import datetime as dt
from collections.abc import Sequence
from itertools import count

import psycopg
from jincai.auth import sessions
from jincai_payment.order import Decision, Order
from jincai_payment.post import post
from psycopg import AsyncConnection

_numbers = count(1)


def token_for_all(owner: str) -> str:
    """A session for every division."""
    with psycopg.connect(owner) as cx:
        return sessions.open_for_process(cx, "test", ("payment.post",), 3600)


def shown(url: str, token: str) -> psycopg.Connection:
    """A connection on which the session's rows are seen."""
    cx = psycopg.connect(url, autocommit=True)
    cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
    return cx


def make_quota(
    cx: psycopg.Connection, granted: int, *, division: str = "450100", agency: str = "101001", level: int = 2
) -> int:
    """A new quota under an indicator that nobody else uses; its id."""
    row = cx.execute(
        """
        INSERT INTO payment.quota (fiscal_year, division, agency_code, indicator_id, pay_type, bgt_type_code,
                                   fund_type_code, exp_func_code, dep_exp_eco_code, granted, control_level)
        VALUES (2010, %s, %s, %s, 'direct', '1', '1', '2010301', '30201', %s, %s)
        RETURNING id
        """,
        (division, agency, 1_000_000 + next(_numbers), granted, level),
    ).fetchone()
    assert row
    return int(row[0])


def order(quota: int, amount: int, key: str | None = None, **more: object) -> Order:
    """An order of 2010 in Nanning, for whoever needs only quota and amount."""
    given: dict[str, object] = {
        "idempotency_key": key or f"test-key-{next(_numbers):08}",
        "fiscal_year": 2010,
        "division": "450100",
        "agency_code": "101001",
        "quota_id": quota,
        "amount": amount,
        "pay_date": dt.date(2010, 3, 5),
        "payee_name": "示例文具店",
        "payee_account": "4500000000000001",
        "purpose": "办公用品采购",
        "posted_by": "test",
    }
    return Order(**{**given, **more})  # type: ignore[arg-type]


async def posted(url: str, token: str, orders: Sequence[Order]) -> list[Decision]:
    """Posts in a transaction of its own."""
    async with await AsyncConnection.connect(url, autocommit=True) as cx:
        await cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        async with cx.transaction():
            return await post(cx, orders)


def assert_books_agree(cx: psycopg.Connection) -> None:
    """Every voucher, period and division balances; payments, balances and quotas say the same."""
    unbalanced = """
        SELECT voucher_id FROM ledger.voucher_line GROUP BY 1 HAVING sum(debit) <> sum(credit) OR count(*) < 2
    """
    assert cx.execute(unbalanced).fetchall() == []
    differing = """
        SELECT division, fiscal_year, period, account, item
          FROM (SELECT division, fiscal_year, period, account, item,
                       sum(debit) AS debit, sum(credit) AS credit
                  FROM ledger.voucher_line GROUP BY 1, 2, 3, 4, 5) AS l
          FULL JOIN ledger.balance AS b USING (division, fiscal_year, period, account, item)
         WHERE (l.debit, l.credit) IS DISTINCT FROM (b.debit, b.credit)
    """
    assert cx.execute(differing).fetchall() == []
    sides = """
        SELECT division, fiscal_year, period FROM ledger.balance
         GROUP BY 1, 2, 3 HAVING sum(debit) <> sum(credit)
    """
    assert cx.execute(sides).fetchall() == []
    quotas = """
        SELECT q.id FROM payment.quota AS q
          LEFT JOIN (SELECT quota_id, sum(amount) AS paid FROM payment.payment GROUP BY 1) AS p
                 ON p.quota_id = q.id
         WHERE q.used <> coalesce(p.paid, 0) OR (q.control_level = 2 AND q.used > q.granted) OR q.used < 0
    """
    assert cx.execute(quotas).fetchall() == []
    gaps = """
        SELECT unit_id FROM payment.payment GROUP BY 1
        HAVING min(posting_no) <> 1 OR max(posting_no) <> count(*)
    """
    assert cx.execute(gaps).fetchall() == []
    missing = """
        SELECT p.id FROM payment.payment AS p
          LEFT JOIN ledger.voucher AS v ON v.id = p.voucher_id AND (v.source, v.source_id) = ('payment', p.id)
          LEFT JOIN hub.outbox AS o ON (o.kind, o.ref) = ('payment', p.id)
         WHERE v.id IS NULL OR o.id IS NULL
    """
    assert cx.execute(missing).fetchall() == []
