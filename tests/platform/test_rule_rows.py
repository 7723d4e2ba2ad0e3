"""Compiled rules on payments that were really posted: windows, registers, and what no longer counts."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from itertools import count

import psycopg
import pytest
from jincai.monitoring import language
from jincai.monitoring.rule import Rule
from jincai_payment.monitored import PAYMENTS

from tests.platform.conftest import Urls
from tests.platform.posting import make_quota, order, posted, shown, token_for_all
from tests.platform.rule_making import rule
from tests.platform.ruling import put_in_force

_NUMBERS = count(1)


class Books:
    """Posts payments of a new unit, and says which of them a rule fires for."""

    def __init__(self, urls: Urls, owner: psycopg.Connection) -> None:
        self._urls, self._owner = urls, owner
        # What is asked here is what a rule says, not what posting makes of it.
        put_in_force(urls.owner)
        self._token = token_for_all(urls.owner)
        self.agency = f"3{next(_NUMBERS):05}"
        self.quota = make_quota(owner, 10**12, agency=self.agency)

    def pay(self, *amounts: int, **more: object) -> list[int]:
        asked = [order(self.quota, amount, agency_code=self.agency, **more) for amount in amounts]
        found = asyncio.run(posted(self._urls.app, self._token, asked))
        assert all(one.outcome == "posted" for one in found), found
        return [one.payment_id for one in found if one.payment_id]

    def fires_for(self, made: str | Rule) -> list[int]:
        """Numbers of the unit's payments for which it fires."""
        compiled = language.compiled(made if isinstance(made, Rule) else rule(made), PAYMENTS)
        query = f"SELECT posting_no, {compiled.predicate} FROM payment.payment AS p"  # noqa: S608
        query += " WHERE agency_code = %s ORDER BY 1"
        with shown(self._urls.app, self._token) as cx:
            found = cx.execute(query.encode(), (self.agency,)).fetchall()
        assert {type(fired) for _, fired in found} == {bool}
        return [number for number, fired in found if fired]

    def register(self, table: str, **values: object) -> None:
        columns = {"division": "450100", "agency_code": self.agency, "made_by": "test", **values}
        names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
        query = f"INSERT INTO payment.{table} ({names}) VALUES ({places})"  # noqa: S608
        self._owner.execute(query.encode(), (*columns.values(),))


@pytest.fixture(scope="module")
def owner(database: Urls) -> Iterator[psycopg.Connection]:
    with shown(database.owner, token_for_all(database.owner)) as cx:
        yield cx


@pytest.fixture
def books(database: Urls, owner: psycopg.Connection) -> Books:
    return Books(database, owner)


SPLIT = (
    "amount < cap AND past_count(days(2), same(payee_account, payee_name, purpose), amount < cap) >= 2"
    " AND amount + past_sum(amount, days(2), same(payee_account, payee_name, purpose), amount < cap) >= cap"
)


def test_split_payments(books: Books) -> None:
    books.pay(20_000, 20_000, 9_999, 1, 60_000)
    books.pay(10, payee_name="别家")
    books.pay(10, pay_date=dt.date(2010, 3, 6))
    books.pay(10, pay_date=dt.date(2010, 3, 8))
    # The third reaches 49,999 only; the fourth reaches the cap; the sixth is to somebody else.
    assert books.fires_for(SPLIT) == [4, 7]


def test_only_earlier_payments_of_the_same_unit_count(
    books: Books, database: Urls, owner: psycopg.Connection
) -> None:
    Books(database, owner).pay(10, 10)
    books.pay(10, 10)
    assert books.fires_for("past_count(days(9)) = 0") == [1]
    assert books.fires_for("past_count(days(9)) = 1") == [2]


def test_what_was_undone_whole_no_longer_counts(books: Books) -> None:
    one, two = books.pay(10_000, 20_000)
    books.pay(-10_000, kind="refund", undoes=one)
    books.pay(-5_000, kind="refund", undoes=two)
    books.pay(1)
    assert 5 in books.fires_for("past_count(days(9)) = 1 AND past_sum(amount, days(9)) = 20000")
    # Before the refund both counted: an answer about a payment does not change afterwards.
    assert books.fires_for("past_count(days(9)) = 1 AND amount = 20000") == [2]


def test_cash_of_the_month(books: Books) -> None:
    books.pay(30_000, 10_000, set_mode_code="2")
    books.pay(30_000)
    books.pay(10_000, set_mode_code="2", pay_date=dt.date(2010, 3, 31))
    books.pay(50_000, set_mode_code="2", pay_date=dt.date(2010, 4, 1))
    month = "past_sum(amount, this_month(), set_mode_code = '2')"
    assert books.fires_for(f"set_mode_code = '2' AND amount + {month} >= cap") == [4, 5]
    assert books.fires_for("past_sum(amount, this_day(), set_mode_code = '2') = 40000") == [3]
    assert books.fires_for("past_count(this_year(), set_mode_code = '2') = 3") == [5]
    assert books.fires_for("past_max(amount, this_year()) = 30000 AND month(pay_date) = 4") == [5]
    assert books.fires_for("past_distinct(set_mode_code, this_month()) = 2") == [4]


def test_across_units(books: Books, database: Urls, owner: psycopg.Connection) -> None:
    account = f"45{next(_NUMBERS):014}"
    books.pay(10, payee_account=account)
    other = Books(database, owner)
    other.pay(10, 10, payee_account=account)
    # One of the other unit and its own earlier one; the first has none of its own before it.
    counted = "past_count(days(9), across(payee_account)) = {}"
    assert other.fires_for(rule(counted.format(1), "after")) == [1]
    assert other.fires_for(rule(counted.format(2), "after")) == [2]
    assert books.fires_for(rule(counted.format(2), "after")) == [1]


def test_registers(books: Books, owner: psycopg.Connection) -> None:
    books.register("own_account", holder="示例局", account="6222 0001")
    owner.execute("UPDATE payment.quota SET project_code = 'J1' WHERE id = %s", (books.quota,))
    books.register("contract", project_code="J1", contract_no="C1", payee_name="建", payee_account="777")
    books.register("unit_limit", kind="payment", amount=5_000)
    books.pay(10, payee_account="62220001")
    books.pay(10, payee_account="777")
    books.pay(6_000, payee_name="示例 局")
    assert books.fires_for("own_account(payee_account)") == [1]
    assert books.fires_for("own_name(payee_name)") == [3]
    assert books.fires_for("contracted(payee_account, dep_exp_eco_code)") == [2]
    assert books.fires_for("amount > unit_limit('payment', cap)") == [3]
    assert books.fires_for("amount < unit_limit('cash_day', cap)") == [1, 2, 3]
