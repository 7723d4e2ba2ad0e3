"""No order of vouchers, corrections and closes spoils a sum, and what is closed stays as it was."""

import datetime as dt
from collections.abc import Iterator
from itertools import count

import psycopg
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.platform.ledger_books import CHART_2015, Person, close_through, document, publish
from tests.platform.posting import assert_books_agree, shown, token_for_all

_divisions = count(450101)
_keys = count(1)
NETS = """
SELECT account, item, sum(debit - credit) FROM ledger.balance WHERE (division, fiscal_year) = (%s, %s)
 GROUP BY 1, 2 HAVING sum(debit - credit) <> 0 ORDER BY 1, 2
"""
ACCOUNTS = sorted(CHART_2015)

line = st.tuples(st.sampled_from(ACCOUNTS), st.integers(1, 10**12))
voucher = st.tuples(st.just("voucher"), st.integers(1, 12), st.lists(line, min_size=1, max_size=5))
red = st.tuples(st.just("red"), st.integers(1, 12), st.integers(0, 40))
close = st.tuples(st.just("close"), st.just(0), st.just(0))
event = st.one_of(voucher, voucher, red, close)


@pytest.fixture(scope="module", autouse=True)
def standards(database) -> None:
    publish(database.owner, 2016, CHART_2015, {})
    publish(database.owner, 2017, CHART_2015, {})


@pytest.fixture(scope="module")
def maker(client: TestClient, session) -> Person:
    return Person(client, session("ledger.read", "ledger.draft", actor="zhang"))


@pytest.fixture(scope="module")
def checker(client: TestClient, session) -> Person:
    return Person(client, session("ledger.read", "ledger.book", "ledger.close", actor="li"))


@pytest.fixture(scope="module")
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


def of_closed(cx: psycopg.Connection, division: str) -> list[tuple[object, ...]]:
    """Everything that closed periods hold."""
    return cx.execute(
        """
        SELECT p.period, p.last_voucher_no, p.closed_by, p.closed_at, p.closed_debit,
               (SELECT array_agg(b ORDER BY b) FROM ledger.balance AS b
                 WHERE (b.division, b.fiscal_year, b.period) = (p.division, p.fiscal_year, p.period)),
               (SELECT array_agg(l ORDER BY l) FROM ledger.voucher_line AS l
                 WHERE (l.division, l.fiscal_year, l.period) = (p.division, p.fiscal_year, p.period))
          FROM ledger.period AS p WHERE p.division = %s AND p.closed_at IS NOT NULL ORDER BY 1
        """,
        (division,),
    ).fetchall()


def lines_of(drawn: list[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """The drawn lines on the debit side and one that balances them."""
    return [(account, amount, 0) for account, amount in drawn] + [("1001", 0, sum(n for _, n in drawn))]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(event, max_size=25))
def test_books_agree_whatever_happens(maker, checker, books, events) -> None:
    division = str(next(_divisions))
    closed, vouchers, undone = -1, [], set()
    for kind, month, what in events:
        before = of_closed(books, division)
        if kind == "close":
            if closed < 12:
                closed += 1
                close_through(checker, 2016, division, closed, first=closed)
            continue
        day = dt.date(2016, month, 28).isoformat()
        if kind == "voucher":
            draft = maker.post("drafts", **document(*lines_of(what), division=division, vou_date=day))
        elif vouchers:
            target = vouchers[what % len(vouchers)]
            key = f"red-{division}-{next(_keys):06}"
            draft = maker.post(f"vouchers/{target}/red", idempotency_key=key, vou_date=day)
            if target in undone and month > closed:
                assert draft.status_code == 409
                continue
        else:
            continue
        assert (draft.status_code == 200) == (month > closed), draft.text
        if draft.status_code == 200:
            done = checker.post(f"drafts/{draft.json()['id']}/book").json()["voucher_id"]
            if kind == "red":
                undone.add(target)
            else:
                vouchers.append(done)
        assert of_closed(books, division) == before
    assert_books_agree(books)
    close_through(checker, 2016, division, 12, first=closed + 1)
    before_year = of_closed(books, division)
    assert checker.post("years/close", fiscal_year=2016, division=division).status_code == 200
    assert [one for one in of_closed(books, division) if one in before_year] == before_year
    assert_books_agree(books)
    left = books.execute(NETS, (division, 2016)).fetchall()
    assert not [row for row in left if CHART_2015[row[0]][1] in {"revenue", "expenditure"}]
    assert books.execute(NETS, (division, 2017)).fetchall() == left
