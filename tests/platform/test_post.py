"""`post`: what it decides, what it books, and that no order of events ever spoils a sum."""

import asyncio
import random
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jincai.auth import sessions
from jincai_payment.order import Order

from tests.platform.posting import assert_books_agree, make_quota, order, posted, shown, token_for_all


@pytest.fixture(scope="module")
def token(database) -> str:
    return token_for_all(database.owner)


@pytest.fixture
def books(database, token: str) -> Iterator[psycopg.Connection]:
    """The books as the session sees them; checked once more at the end of every test."""
    with shown(database.app, token) as cx:
        yield cx
        assert_books_agree(cx)


def test_a_payment_uses_its_quota_and_is_booked_on_both_sides(database, token, books) -> None:
    quota = make_quota(books, 10_000)
    (decision,) = asyncio.run(posted(database.app, token, [order(quota, 4_000)]))
    assert decision.outcome == "posted"
    used = books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone()
    assert used == (4_000,)
    lines = books.execute(
        "SELECT account, item, debit, credit FROM ledger.voucher_line AS l JOIN payment.payment AS p"
        " ON p.voucher_id = l.voucher_id WHERE p.id = %s ORDER BY line_no",
        (decision.payment_id,),
    ).fetchall()
    assert lines == [("501", "2010301", 4_000, 0), ("103", "2010301", 0, 4_000)]


def test_beyond_a_strict_quota_is_refused_and_the_rest_of_the_batch_stands(database, token, books) -> None:
    quota = make_quota(books, 10_000)
    batch = [order(quota, 6_000), order(quota, 5_000), order(quota, 4_000), order(quota, 1)]
    decisions = asyncio.run(posted(database.app, token, batch))
    assert [(d.outcome, d.reason) for d in decisions] == [
        ("posted", ""),
        ("refused", "over_quota"),
        ("posted", ""),
        ("refused", "over_quota"),
    ]
    again = asyncio.run(posted(database.app, token, batch))
    assert [(d.outcome, d.reason, d.payment_id, d.posting_no) for d in again] == [
        (d.outcome, d.reason, d.payment_id, d.posting_no) for d in decisions
    ]
    assert all(d.again for d in again)


def test_a_quota_that_warns_lets_pass_and_says_so(database, token, books) -> None:
    quota = make_quota(books, 100, level=1)
    decisions = asyncio.run(posted(database.app, token, [order(quota, 60), order(quota, 60)]))
    assert [(d.outcome, d.warned) for d in decisions] == [("posted", False), ("posted", True)]


def test_a_key_posts_once_within_a_batch_and_never_for_another_order(database, token, books) -> None:
    quota = make_quota(books, 1_000)
    first, same, other = (order(quota, amount, "the-same-key") for amount in (10, 10, 20))
    decisions = asyncio.run(posted(database.app, token, [first, same, other]))
    assert decisions[1].payment_id == decisions[0].payment_id
    assert (decisions[2].outcome, decisions[2].reason) == ("refused", "key_used")
    assert asyncio.run(posted(database.app, token, [other]))[0].reason == "key_used"


def test_a_refund_gives_back_and_never_more_than_was_paid(database, token, books) -> None:
    quota = make_quota(books, 1_000)
    paid = asyncio.run(posted(database.app, token, [order(quota, 700)]))[0].payment_id

    def back(amount: int, **more: object) -> Order:
        return order(quota, -amount, **{"kind": "refund", "undoes": paid, **more})

    decisions = asyncio.run(posted(database.app, token, [back(300), back(300), back(300)]))
    assert [d.reason for d in decisions] == ["", "", "over_undone"]
    assert asyncio.run(posted(database.app, token, [back(101)]))[0].reason == "over_undone"
    assert asyncio.run(posted(database.app, token, [back(1, undoes=10**15)]))[0].reason == "nothing_to_undo"
    other = make_quota(books, 1_000)
    assert asyncio.run(posted(database.app, token, [back(1, quota_id=other)]))[0].reason == "nothing_to_undo"


def test_another_units_quota_is_nobodys(database, token, books) -> None:
    quota = make_quota(books, 1_000)
    wrong = [order(quota, 1, agency_code="205001"), order(quota, 1, division="450200"), order(10**15, 1)]
    assert {d.reason for d in asyncio.run(posted(database.app, token, wrong))} == {"no_quota"}


def test_codes_are_those_of_the_year(database, token, books) -> None:
    quota = make_quota(books, 1_000)
    wrong = [
        order(quota, 1, set_mode_code="77"),
        order(quota, 1, payee_kind_code="77"),
        order(quota, 1, set_mode_code="2"),
    ]
    decided = asyncio.run(posted(database.app, token, wrong))
    assert [d.reason for d in decided] == ["unknown_code", "unknown_code", ""]
    # Nothing is kept under the key: once the code is published, the same order goes through.
    assert books.execute("SELECT count(*) FROM payment.refusal WHERE reason = 'unknown_code'").fetchone() == (
        0,
    )


def test_whose_order_it_is_decides_whatever_the_batch_may_see(database, token, books) -> None:
    quota = make_quota(books, 1_000)
    with psycopg.connect(database.owner) as cx:
        elsewhere = sessions.new_token()
        given = sessions.arguments(elsewhere, "someone", ("payment.post",), 60, divisions=("450200",))
        cx.execute(sessions.OPEN, given)
        reader = sessions.new_token()
        cx.execute(sessions.OPEN, sessions.arguments(reader, "reader", ("payment.read",), 60))
    for asker in (elsewhere, reader, "nobody's token"):
        (decision,) = asyncio.run(posted(database.app, token, [order(quota, 1, token=asker)]))
        assert (decision.outcome, decision.reason) == ("refused", "not_yours")


def test_a_closed_period_takes_nothing_and_nothing_is_left_half_done(database, token, books) -> None:
    quota = make_quota(books, 1_000, division="450300")
    books.execute(
        "INSERT INTO ledger.period (fiscal_year, division, period, closed_by, closed_at)"
        " VALUES (2010, '450300', 3, 'test', now())"
    )
    with pytest.raises(psycopg.errors.Error) as refused:
        asyncio.run(posted(database.app, token, [order(quota, 1, division="450300")]))
    assert refused.value.sqlstate == "JC003"
    assert books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone() == (0,)
    assert books.execute("SELECT count(*) FROM payment.unit WHERE division = '450300'").fetchone() == (0,)


@pytest.mark.parametrize("table", ["payment.payment", "ledger.voucher", "ledger.voucher_line"])
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET division = division", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_what_is_posted_is_never_changed_not_even_by_its_owner(
    database, token, table: str, change: str
) -> None:
    with shown(database.owner, token) as cx, pytest.raises(psycopg.errors.Error) as refused:
        cx.execute(change.format(table).encode())
    assert refused.value.sqlstate == "JC002"


Asked = list[tuple[int, int, int]]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 400), st.integers(0, 30)), min_size=1, max_size=60
    ),
    seed=st.integers(0, 2**32),
)
def test_no_interleaving_spoils_a_sum(database, token, books, asked: Asked, seed: int) -> None:
    """Four quotas of two units; batches cut at random and posted at once, one perhaps cancelled midway."""
    agencies = ["101001", "101001", "205001", "205001"]
    quotas = [make_quota(books, 1_000, agency=agency) for agency in agencies]
    orders = [
        order(quotas[which], amount, f"case-{seed}-{quotas[0]}-{key}", agency_code=agencies[which])
        for which, amount, key in asked
    ]
    draw = random.Random(seed)  # noqa: S311
    batches = [[o for o in orders if draw.random() < 0.6] for _ in range(6)]

    async def all_at_once() -> None:
        tasks = [asyncio.create_task(posted(database.app, token, batch)) for batch in batches]
        if draw.random() < 0.3:
            await asyncio.sleep(0.01)
            tasks[0].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results[1:]:
            # Two batches that use one key in two units meet at the unique index: one of them fails, whole.
            if isinstance(result, BaseException) and not isinstance(result, psycopg.errors.UniqueViolation):
                raise result

    asyncio.run(all_at_once())
    assert_books_agree(books)
    keys = (
        "SELECT count(*), count(DISTINCT idempotency_key) FROM payment.payment WHERE idempotency_key LIKE %s"
    )
    number, distinct = books.execute(keys, (f"case-{seed}-%",)).fetchone() or (0, 1)
    assert number == distinct
