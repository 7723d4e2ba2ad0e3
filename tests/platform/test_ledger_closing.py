"""Months close in order and for good; a year closes to zero and opens the next with what was left."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from jincai.auth import sessions

from tests.platform.ledger_books import (
    CHART_1997,
    CHART_2015,
    MAP,
    OWN_MAP,
    Person,
    booked,
    close_through,
    document,
    publish,
)
from tests.platform.posting import assert_books_agree, shown, token_for_all

PLAIN = (("1001", 500, 0), ("4001", 0, 500))


@pytest.fixture(scope="module", autouse=True)
def standards(database) -> None:
    publish(database.owner, 2015, CHART_1997, OWN_MAP)
    publish(database.owner, 2016, CHART_2015, MAP)
    publish(database.owner, 2017, CHART_2015, {})


@pytest.fixture(scope="module")
def maker(client, session) -> Person:
    return Person(client, session("ledger.read", "ledger.draft", actor="zhang"))


@pytest.fixture(scope="module")
def checker(client, session) -> Person:
    return Person(client, session("ledger.read", "ledger.book", "ledger.close", actor="li"))


@pytest.fixture(scope="module")
def people(maker, checker) -> tuple[Person, Person]:
    return maker, checker


@pytest.fixture(autouse=True)
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx
        assert_books_agree(cx)


def balances(cx: psycopg.Connection, division: str, year: int, period: int | None = None):
    return dict(
        cx.execute(
            "SELECT account, sum(debit - credit)::bigint FROM ledger.balance"
            " WHERE (division, fiscal_year) = (%s, %s) AND (%s::int IS NULL OR period = %s)"
            " GROUP BY account HAVING sum(debit - credit) <> 0",
            (division, year, period, period),
        ).fetchall()
    )


def test_months_close_in_order_and_keep_their_totals(maker, checker) -> None:
    where = {"fiscal_year": 2016, "division": "450100"}
    booked(maker, checker, **document(*PLAIN, vou_date="2016-01-05"))
    refused = checker.post("periods/close", **where, period=1)
    assert refused.status_code == 409
    assert "2016-00" in refused.json()["detail"]
    close_through(checker, 2016, "450100", 1)
    again = checker.post("periods/close", **where, period=1).json()
    assert (again["closed_by"], again["closed_vouchers"], again["closed_debit"]) == ("li", 1, 500)
    listed = checker.get("periods", **where).json()
    assert [one["period"] for one in listed if one["closed_at"]] == [0, 1]


def test_a_waiting_or_returned_draft_keeps_its_month_open(maker, checker) -> None:
    where = {"fiscal_year": 2016, "division": "450200"}
    close_through(checker, 2016, "450200", 0)
    number = maker.post("drafts", **document(*PLAIN, division="450200", vou_date="2016-01-05")).json()["id"]
    names = {c["name"] for c in checker.get("periods/1/checklist", **where).json() if not c["ok"]}
    assert names == {"no_drafts"}
    assert checker.post("periods/close", **where, period=1).status_code == 409
    checker.post(f"drafts/{number}/return", reason="x")
    assert checker.post("periods/close", **where, period=1).status_code == 409
    maker.post(f"drafts/{number}/withdraw")
    assert checker.post("periods/close", **where, period=1).status_code == 200
    late = maker.post("drafts", **document(*PLAIN, division="450200", vou_date="2016-01-05"))
    assert late.status_code == 409


REVENUE = """
SELECT ledger.book(ARRAY[ROW(nextval('ledger.voucher_id'), 2016, %s, %s::date, 'revenue', '1', '10101', '',
                             700, 'x', 'demonstration', 1, 'a', 'b')::ledger.booking])
"""
NEW_VOUCHER = (
    "INSERT INTO ledger.voucher (fiscal_year, division, period, voucher_no, vou_date, summary, source,"
    " made_by, checked_by) VALUES (2016, '450300', 1, 99, '2016-01-31', 'x', 'manual', 'a', 'b')"
)
NEW_LINE = (
    "INSERT INTO ledger.voucher_line (voucher_id, line_no, fiscal_year, division, period, account, debit)"
    " VALUES (1, 99, 2016, '450300', 1, '1001', 5)"
)
CHANGES = [
    "INSERT INTO ledger.balance (fiscal_year, division, period, account) VALUES (2016, '450300', 1, '1002')",
    "UPDATE ledger.balance SET debit = debit + 1 WHERE (division, period) = ('450300', 1)",
    "UPDATE ledger.balance SET period = 9 WHERE (division, period) = ('450300', 1)",
    "UPDATE ledger.balance SET period = 1 WHERE (division, period, account) = ('450300', 2, '4002')",
    "UPDATE ledger.period SET closed_at = NULL, closed_by = NULL WHERE (division, period) = ('450300', 1)",
    "UPDATE ledger.period SET last_voucher_no = 7 WHERE (division, period) = ('450300', 1)",
]


@pytest.mark.parametrize(
    ("role", "change"),
    [("app", change) for change in (NEW_VOUCHER, NEW_LINE, *CHANGES)] + [("owner", one) for one in CHANGES],
)
def test_a_closed_period_never_changes_by_no_way(database, people, books, role: str, change: str) -> None:
    if not balances(books, "450300", 2016):
        maker, checker = people
        booked(maker, checker, **document(*PLAIN, division="450300", vou_date="2016-01-05"))
        other = document(("1001", 9, 0), ("4002", 0, 9), division="450300", vou_date="2016-02-05")
        booked(maker, checker, **other)
        close_through(checker, 2016, "450300", 1)
    with shown(getattr(database, role), token_for_all(database.owner)) as cx:
        with pytest.raises(psycopg.errors.Error) as refused:
            cx.execute(change.encode())
        assert refused.value.sqlstate in {"JC003", "JC006"}
    assert balances(books, "450300", 2016, 1) == {"1001": 500, "4001": -500}


def test_the_booking_functions_stay_within_the_session(database) -> None:
    """They run as the tables' owner, and see and write no more than the asker does."""
    with psycopg.connect(database.owner) as cx:
        elsewhere = sessions.open_for_process(cx, "t", ("payment.post",), 60, divisions=("450200",))
    with shown(database.app, elsewhere) as cx, pytest.raises(psycopg.errors.InsufficientPrivilege):
        cx.execute(REVENUE, ("450100", "2016-05-05"))


def test_periods_and_balances_are_not_deleted(database) -> None:
    for change in ("DELETE FROM ledger.period", "TRUNCATE ledger.balance", "DELETE FROM ledger.balance"):
        with shown(database.owner, token_for_all(database.owner)) as cx:
            with pytest.raises(psycopg.errors.Error) as refused:
                cx.execute(change.encode())
            assert refused.value.sqlstate == "JC002"


def test_a_close_waits_for_who_is_booking(database, checker) -> None:
    """A voucher that is being booked while its month closes is in the totals, or it is refused."""
    close_through(checker, 2016, "450400", 0)
    with shown(database.app, token_for_all(database.owner)) as cx, cx.transaction():
        cx.execute(REVENUE, ("450400", "2016-01-05"))
        answers: list[int] = []
        closing = threading.Thread(
            target=lambda: answers.append(
                checker.post("periods/close", fiscal_year=2016, division="450400", period=1).json()[
                    "closed_debit"
                ]
            )
        )
        closing.start()
        closing.join(0.5)
        assert answers == []
    closing.join()
    assert answers == [700]


def year_of(maker: Person, checker: Person, division: str, year: int, accounts: dict[str, str]) -> None:
    """An opening and a few vouchers: revenue 900, expenditure 400 and 70 of it not yet paid."""
    a = accounts
    opening = document(
        (a["cash"], 1_000, 0), (a["debt"], 0, 300), (a["surplus"], 0, 700),
        year=year, division=division, kind="opening", vou_date=f"{year}-01-01",
    )  # fmt: skip
    booked(maker, checker, **opening)
    for lines in (
        ((a["cash"], 900, 0), (a["revenue"], 0, 900)),
        ((a["expenditure"], 400, 0), (a["cash"], 0, 330), (a["debt"], 0, 70)),
    ):
        booked(maker, checker, **document(*lines, year=year, division=division))


OLD = {"cash": "101", "debt": "211", "surplus": "301", "revenue": "401", "expenditure": "501"}
NEW = {"cash": "1001", "debt": "2011", "surplus": "3001", "revenue": "4001", "expenditure": "5001"}


def test_a_year_closes_to_zero_and_the_next_opens_with_what_was_left(maker, checker, books) -> None:
    where = {"fiscal_year": 2016, "division": "450500"}
    year_of(maker, checker, "450500", 2016, NEW)
    assert checker.post("years/close", **where).status_code == 409
    close_through(checker, 2016, "450500", 12)
    before = checker.get("trial-balance", **where, first=1, last=12).json()
    assert before["balanced"]
    answer = checker.post("years/close", **where)
    assert answer.status_code == 200, answer.text
    assert answer.json()["closed_vouchers"] == 2
    assert checker.post("years/close", **where).json() == answer.json()
    left = {"1001": 1_570, "2011": -370, "3001": -1_200}
    assert balances(books, "450500", 2016) == left
    assert balances(books, "450500", 2017) == balances(books, "450500", 2017, 0) == left
    statement = checker.get("statement", **where).json()
    assert (statement["revenue"]["cumulative"], statement["surplus_cumulative"]) == (900, 500)
    sheet = checker.get("balance-sheet", **where).json()
    assert sheet["balanced"]
    assert [section["group"] for section in sheet["left"]] == ["asset"]
    assert (sheet["left_opening"], sheet["left_closing"]) == (1_000, 1_570)
    # The opening is closed with the year: nothing is added to it, and the first month can be.
    closed = maker.post(
        "drafts",
        **document(*PLAIN, year=2017, division="450500", kind="opening", vou_date="2017-01-01"),
    )
    assert closed.status_code == 409
    close_through(checker, 2017, "450500", 1, first=1)


def test_a_new_chart_takes_over_by_its_map(maker, checker, books) -> None:
    year_of(maker, checker, "450600", 2015, OLD)
    close_through(checker, 2015, "450600", 12)
    assert checker.post("years/close", fiscal_year=2015, division="450600").status_code == 200
    assert balances(books, "450600", 2015) == {"101": 1_570, "211": -370, "301": -1_200}
    assert balances(books, "450600", 2016) == {"1001": 1_570, "2011": -370, "3001": -1_200}


def test_an_account_without_successor_is_named_and_nothing_is_closed(maker, checker, books) -> None:
    year_of(maker, checker, "450700", 2015, {**OLD, "surplus": "305"})
    close_through(checker, 2015, "450700", 12)
    refused = checker.post("years/close", fiscal_year=2015, division="450700")
    assert refused.status_code == 409
    assert "305" in refused.json()["detail"]
    assert "account_map" in refused.json()["detail"]
    assert balances(books, "450700", 2015)["401"] == -900
    assert balances(books, "450700", 2016) == {}


def test_two_successors_are_named_until_one_is_chosen(database, maker, checker) -> None:
    """A new chart that splits an account: the old year's own map says where its balance goes."""
    where = {"fiscal_year": 2015, "division": "451000"}
    year_of(maker, checker, "451000", 2015, OLD)
    close_through(checker, 2015, "451000", 12)
    publish(database.owner, 2015, CHART_1997, {})
    refused = checker.post("years/close", **where)
    assert refused.status_code == 409
    assert "211→2011/2015" in refused.json()["detail"]
    publish(database.owner, 2015, CHART_1997, OWN_MAP)
    assert checker.post("years/close", **where).status_code == 200


def test_an_imported_opening_is_not_doubled(maker, checker, books) -> None:
    year_of(maker, checker, "450800", 2016, NEW)
    close_through(checker, 2016, "450800", 12)
    early = document(*PLAIN, year=2017, division="450800", kind="opening", vou_date="2017-01-01")
    voucher = booked(maker, checker, **early)
    assert checker.post("years/close", fiscal_year=2016, division="450800").status_code == 409
    draft = maker.post(
        f"vouchers/{voucher}/red", idempotency_key=f"red-opening-{voucher}", vou_date="2017-01-01"
    ).json()
    assert draft["period"] == 0
    assert checker.post(f"drafts/{draft['id']}/book").status_code == 200
    assert checker.post("years/close", fiscal_year=2016, division="450800").status_code == 200
    assert balances(books, "450800", 2017) == {"1001": 1_570, "2011": -370, "3001": -1_200}


def test_an_opening_waits_for_the_year_before(maker, checker) -> None:
    year_of(maker, checker, "450900", 2016, NEW)
    refused = checker.post("periods/close", fiscal_year=2017, division="450900", period=0)
    assert refused.status_code == 409
    assert "2016" in refused.json()["detail"]


def test_who_may_only_book_closes_nothing(client, session) -> None:
    booker = Person(client, session("ledger.read", "ledger.book", actor="wu"))
    assert booker.post("periods/close", fiscal_year=2016, division="450100", period=2).status_code == 403
    assert booker.post("years/close", fiscal_year=2016, division="450100").status_code == 403
