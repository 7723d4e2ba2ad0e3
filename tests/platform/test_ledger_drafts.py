"""Vouchers by hand: made by one, booked or returned by another; corrections; what is refused."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from tests.platform.ledger_books import CHART_2015, Person, booked, document, publish
from tests.platform.posting import (
    assert_books_agree,
    make_quota,
    order,
    posted,
    shown,
    token_for_all,
)

PLAIN = (("5001", 70_00, 0), ("1001", 0, 50_00), ("2011", 0, 20_00))


@pytest.fixture(scope="module", autouse=True)
def standards(database) -> None:
    publish(database.owner, 2016, CHART_2015, {})


@pytest.fixture(scope="module")
def maker(client, session) -> Person:
    return Person(client, session("ledger.read", "ledger.draft", actor="zhang"))


@pytest.fixture(scope="module")
def checker(client, session) -> Person:
    return Person(client, session("ledger.read", "ledger.book", "ledger.close", actor="li"))


@pytest.fixture(autouse=True)
def books(database) -> Iterator[psycopg.Connection]:
    """The books, whose sums agree after every test."""
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx
        assert_books_agree(cx)


def test_a_voucher_of_three_lines_is_booked_by_somebody_else(maker, checker) -> None:
    asked = document(*PLAIN)
    draft = maker.post("drafts", **asked).json()
    assert (draft["state"], draft["made_by"], draft["amount"]) == ("waiting", "zhang", 70_00)
    assert maker.post("drafts", **asked).json()["id"] == draft["id"]
    first = checker.post(f"drafts/{draft['id']}/book").json()
    assert checker.post(f"drafts/{draft['id']}/book").json() == first
    voucher = checker.get(f"vouchers/{first['voucher_id']}").json()
    assert [(x["account"], x["debit"], x["credit"]) for x in voucher["lines"]] == list(PLAIN)
    assert voucher["lines"][0]["account_name"] == "一般公共预算本级支出"
    assert (voucher["period"], voucher["made_by"], voucher["checked_by"]) == (3, "zhang", "li")
    assert voucher["source_path"] == f"/ledger/drafts/{draft['id']}"


def test_numbers_go_on_where_others_booked(maker, checker) -> None:
    ids = [booked(maker, checker, **document(*PLAIN, division="450200")) for _ in range(3)]
    assert [checker.get(f"vouchers/{n}").json()["voucher_no"] for n in ids] == [1, 2, 3]


def test_returned_revised_booked_and_withdrawn(maker, checker) -> None:
    asked = document(*PLAIN)
    number = maker.post("drafts", **asked).json()["id"]
    back = checker.post(f"drafts/{number}/return", reason="科目有误").json()
    assert (back["state"], back["reason"], back["checked_by"]) == ("returned", "科目有误", "li")
    assert checker.post(f"drafts/{number}/book").status_code == 409
    better = document(("5002", 1, 0), ("1001", 0, 1), idempotency_key=asked["idempotency_key"])
    again = maker.put(f"drafts/{number}", **better).json()
    assert (again["state"], again["reason"], len(again["lines"])) == ("waiting", "", 2)
    assert checker.post(f"drafts/{number}/book").status_code == 200
    assert maker.post(f"drafts/{number}/withdraw").status_code == 409
    other = maker.post("drafts", **document(*PLAIN)).json()["id"]
    assert maker.post(f"drafts/{other}/withdraw").json()["state"] == "withdrawn"
    assert maker.post(f"drafts/{other}/withdraw").status_code == 200
    assert checker.post(f"drafts/{other}/book").status_code == 409


def test_nobody_checks_what_they_made_whatever_they_may(client, session, maker, books) -> None:
    both = Person(client, session("ledger.read", "ledger.draft", "ledger.book", actor="zhang"))
    number = maker.post("drafts", **document(*PLAIN)).json()["id"]
    assert both.post(f"drafts/{number}/book").status_code == 403
    assert both.post(f"drafts/{number}/return", reason="x").status_code == 403
    assert maker.post(f"drafts/{number}/book").status_code == 403
    with pytest.raises(psycopg.errors.CheckViolation):
        books.execute(
            "UPDATE ledger.voucher_draft SET checked_by = made_by, checked_at = now() WHERE id = %s",
            (number,),
        )


def test_another_division_is_not_reached(client, session, maker) -> None:
    elsewhere = Person(
        client, session("ledger.read", "ledger.draft", "ledger.book", divisions=("450300",), actor="wang")
    )
    assert elsewhere.post("drafts", **document(*PLAIN)).status_code == 403
    number = maker.post("drafts", **document(*PLAIN)).json()["id"]
    assert elsewhere.get(f"drafts/{number}").status_code == 404
    assert elsewhere.post(f"drafts/{number}/book").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"lines": [{"account": "5001", "debit": 5}, {"account": "1001", "credit": 4}]}, "0.01"),
        ({"lines": [{"account": "5001", "debit": 5}, {"account": "9999", "credit": 5}]}, "9999"),
        ({"lines": [{"account": "5001", "debit": 5}]}, ""),
        ({"lines": [{"account": "5001", "debit": 5, "credit": 5}, {"account": "1001", "credit": 5}]}, ""),
        ({"lines": [{"account": "5001", "debit": -5}, {"account": "1001", "credit": -5}]}, ""),
        (
            {"lines": [{"account": "5001", "debit": 5, "item": "777"}, {"account": "1001", "credit": 5}]},
            "777",
        ),
        ({"vou_date": "2017-01-01"}, "2017-01-01"),
        ({"summary": "a\u0000"}, ""),
        ({"fiscal_year": 2031, "vou_date": "2031-01-01"}, "5001"),
        ({"unknown": 1}, ""),
    ],
)
def test_wrong_input_is_refused_and_named(maker, books, wrong, named) -> None:
    count = "SELECT count(*) FROM ledger.voucher_draft"
    before = books.execute(count).fetchone()
    answer = maker.post("drafts", **{**document(*PLAIN), **wrong})
    assert answer.status_code == 422, answer.text
    assert named in answer.json()["detail"]
    assert books.execute(count).fetchone() == before


def test_a_key_is_for_one_voucher(maker) -> None:
    asked = document(*PLAIN)
    assert maker.post("drafts", **asked).status_code == 200
    assert maker.post("drafts", **{**asked, "summary": "另一张"}).status_code == 409


def test_a_red_correction_undoes_once(maker, checker) -> None:
    voucher = booked(maker, checker, **document(*PLAIN))
    asked = {"idempotency_key": f"red-voucher-{voucher}-1", "vou_date": "2016-04-01"}
    answer = maker.post(f"vouchers/{voucher}/red", **asked)
    assert answer.status_code == 200, answer.text
    draft = answer.json()
    assert (draft["kind"], draft["undoes"], draft["amount"]) == ("red", voucher, -70_00)
    other = {**asked, "idempotency_key": f"red-voucher-{voucher}-2"}
    assert maker.post(f"vouchers/{voucher}/red", **other).status_code == 409
    red = checker.post(f"drafts/{draft['id']}/book").json()["voucher_id"]
    shown_red = checker.get(f"vouchers/{red}").json()
    assert [(x["account"], x["debit"], x["credit"]) for x in shown_red["lines"]] == [
        (account, -debit, -credit) for account, debit, credit in PLAIN
    ]
    assert (shown_red["undoes"], shown_red["period"]) == (voucher, 4)
    assert checker.get(f"vouchers/{voucher}").json()["undone_by"] == red
    assert maker.post(f"vouchers/{voucher}/red", **other).status_code == 409
    assert maker.post(f"vouchers/{voucher}/red", **asked).json()["id"] == draft["id"]
    assert (
        maker.post(f"vouchers/{red}/red", **{**other, "idempotency_key": "red-of-red-1"}).status_code == 409
    )


def test_what_was_booked_for_a_payment_is_corrected_there(database, maker, books) -> None:
    quota = make_quota(books, 1_000)
    (decision,) = asyncio.run(posted(database.app, token_for_all(database.owner), [order(quota, 5)]))
    row = books.execute(
        "SELECT voucher_id FROM payment.payment WHERE id = %s", (decision.payment_id,)
    ).fetchone()
    assert row
    refused = maker.post(f"vouchers/{row[0]}/red", idempotency_key="red-of-payment", vou_date="2010-03-06")
    assert refused.status_code == 409
    assert f"/payment/payments/{decision.payment_id}" in refused.json()["detail"]


def test_book_lines_refuses_what_does_not_balance(books) -> None:
    unbalanced = """
        SELECT ledger.book_lines(
            ARRAY[ROW(nextval('ledger.voucher_id'), 2016, '450100', 5, date '2016-05-01', 'x', 'manual',
                      NULL, NULL, 'a', 'b')::ledger.entry],
            ARRAY[ROW(currval('ledger.voucher_id'), 1, '1001', '', '', 5, 0)::ledger.entry_line,
                  ROW(currval('ledger.voucher_id'), 2, '4001', '', '', 0, 4)::ledger.entry_line])
    """
    with pytest.raises(psycopg.errors.Error) as refused:
        books.execute(unbalanced)
    assert refused.value.sqlstate == "JC005"
