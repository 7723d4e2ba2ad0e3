"""The bank's instructions and receipts: each handed out to one, answered once, and the books follow."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.platform.banking import (
    DAYS,
    INSTRUCTIONS,
    RECEIPTS,
    Bank,
    Desk,
    desk_of,
    failed,
    paid,
    refunded,
)
from tests.platform.posting import make_quota, order, shown


@pytest.fixture
def desk(database, client: TestClient, session) -> Iterator[Desk]:
    with desk_of(database.app, database.owner, client, session) as desk:
        yield desk


@pytest.fixture
def bank(desk: Desk) -> Bank:
    return desk.bank()


def test_an_instruction_says_all_the_bank_needs_and_comes_once(desk, bank) -> None:
    (payment,) = desk.pay(4_000)
    (found,) = bank.pull()
    assert (found["payment_id"], found["amount"], found["attempts"]) == (payment, 4_000, 1)
    assert (found["payee_name"], found["payee_account"]) == ("示例文具店", "4500000000000001")
    assert bank.pull() == []
    assert bank.tell(paid(payment, 4_000)) == [
        {"payment_id": payment, "outcome": "accepted", "problem": "", "again": False}
    ]
    assert desk.state(payment) == ("paid", 1, 4_000)


def test_unanswered_it_is_handed_out_again_to_the_same_bank_only(desk, bank) -> None:
    (payment,) = desk.pay(100)
    assert len(bank.pull(lease_seconds=1)) == 1
    late = "UPDATE payment.bank_order SET answer_by = now() - interval '1 s' WHERE payment_id = %s"
    desk.books.execute(late, (payment,))
    other = desk.bank("abc")
    assert other.pull() == []
    assert other.tell(paid(payment, 100))[0]["problem"] == "other_bank"
    renewed = desk.bank("icbc@2")
    (again,) = renewed.pull()
    assert (again["payment_id"], again["attempts"]) == (payment, 2)
    assert renewed.tell(paid(payment, 100))[0]["outcome"] == "accepted"
    assert desk.problems(payment) == [("other_bank", 1)]


def test_what_failed_is_undone_and_the_quota_restored(desk, bank) -> None:
    (payment,) = desk.pay(700)
    bank.pull()
    assert bank.tell(failed(payment))[0]["outcome"] == "accepted"
    assert desk.state(payment) == ("failed", 1, 0)
    row = desk.books.execute(
        "SELECT kind, amount, idempotency_key, purpose, posted_by FROM payment.payment WHERE undoes = %s",
        (payment,),
    ).fetchone()
    assert row == ("bank_return", -700, f"bank-return-{payment}", "银行退回:账号户名不符", "icbc")
    used = "SELECT used FROM payment.quota WHERE id = (SELECT quota_id FROM payment.payment WHERE id = %s)"
    assert desk.books.execute(used, (payment,)).fetchone() == (0,)


@pytest.mark.parametrize("told", [lambda p: paid(p, 50), failed])
def test_a_repetition_is_answered_the_same_and_changes_nothing(desk, bank, told) -> None:
    (payment,) = desk.pay(50)
    bank.pull()
    first, within = bank.tell(told(payment), told(payment))
    (again,) = bank.tell(told(payment))
    assert within == again == first | {"again": True}
    assert desk.problems(payment) == []


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (lambda p: paid(p, 50), failed),
        (failed, lambda p: paid(p, 50)),
        (lambda p: paid(p, 50), lambda p: paid(p, 50, "another")),
        (lambda p: paid(p, 50), lambda p: paid(p, 49)),
        (lambda p: paid(p, 50), lambda p: paid(p, 50, paid_date="2010-03-07")),
    ],
)
def test_a_contradiction_is_refused_and_kept(desk, bank, first, then) -> None:
    (payment,) = desk.pay(50)
    bank.pull()
    bank.tell(first(payment))
    before = (desk.state(payment), desk.left(payment))
    for _ in range(2):
        answer = bank.tell(then(payment))[0]
        assert (answer["outcome"], answer["problem"]) == ("refused", "contradiction")
    assert (desk.state(payment), desk.left(payment)) == before
    assert desk.problems(payment) == [("contradiction", 2)]


def test_one_wrong_line_does_not_spoil_the_others(desk, bank) -> None:
    one, two, three = desk.pay(10, 20, 30)
    bank.pull()
    answers = bank.tell(paid(one, 10), paid(two, 21), failed(three), paid(2**60, 1))
    assert [a["problem"] for a in answers] == ["", "amount", "", "unknown"]
    assert [desk.state(p)[0] for p in (one, two, three)] == ["paid", "sent", "failed"]
    assert desk.problems(two) == [("amount", 1)]
    bank.tell(paid(two, 20))


@pytest.mark.parametrize("wrong", [{"paid_date": "2010-03-04"}, {"paid_date": "2999-01-01"}])
def test_a_date_that_cannot_be_is_refused(desk, bank, wrong) -> None:
    (payment,) = desk.pay(10)
    bank.pull()
    assert bank.tell(paid(payment, 10, **wrong))[0]["problem"] == "date"
    bank.tell(paid(payment, 10))


def test_what_was_not_handed_out_cannot_be_answered(desk, bank) -> None:
    (payment,) = desk.pay(10)
    assert bank.tell(paid(payment, 10))[0]["problem"] == "not_sent"
    assert desk.problems(payment) == [("not_sent", 1)]
    bank.pull()


def test_money_that_came_back_is_a_refund_in_parts_and_never_more(desk, bank) -> None:
    (payment,) = desk.pay(100)
    bank.pull()
    bank.tell(paid(payment, 100))
    answers = bank.tell(
        refunded(payment, 60, "R1"),
        refunded(payment, 60, "R1"),
        refunded(payment, 50, "R2"),
        refunded(payment, 40, "R3"),
        refunded(payment, 30, "R1"),
    )
    assert [(a["problem"], a["again"]) for a in answers] == [
        ("", False),
        ("", True),
        ("over_refunded", False),
        ("", False),
        ("contradiction", False),
    ]
    assert desk.left(payment) == 0
    assert desk.state(payment)[0] == "paid"


def test_a_refund_before_the_receipt_waits_for_it(desk, bank) -> None:
    one, two = desk.pay(100, 100)
    bank.pull()
    assert bank.tell(refunded(one, 30, "E1"), refunded(two, 30, "E1"))[0]["outcome"] == "accepted"
    assert (desk.left(one), desk.left(two)) == (100, 100)
    bank.tell(paid(one, 100), failed(two))
    assert (desk.left(one), desk.left(two)) == (70, 0)
    assert bank.tell(refunded(one, 30, "E1"))[0]["again"] is True
    assert bank.tell(refunded(two, 30, "E1"))[0]["problem"] == "not_paid"
    assert desk.problems(two) == [("not_paid", 2)]


def test_what_is_undone_before_it_is_sent_is_not_paid(desk, bank) -> None:
    quota = make_quota(desk.books, 200)
    whole, part = desk.post(order(quota, 100), order(quota, 100))
    desk.post(
        order(quota, -100, kind="correction", undoes=whole),
        order(quota, -40, kind="correction", undoes=part),
    )
    assert [(one["payment_id"], one["amount"]) for one in bank.pull()] == [(part, 60)]
    assert desk.state(whole) == ("void", 0, None)
    assert bank.tell(failed(part))[0]["outcome"] == "accepted"
    assert desk.left(part) == 0


def test_two_who_pull_at_once_get_different_instructions(desk, bank) -> None:
    made = desk.pay(*[10] * 60)
    others = [desk.bank(f"bank{n}") for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        pulls = list(pool.map(lambda n: (n % 4, others[n % 4].pull(limit=7)), range(24)))
    got = [one["payment_id"] for _, pull in pulls for one in pull]
    assert sorted(got) == sorted(set(got))
    rest = bank.pull(limit=1000)
    assert sorted([*got, *(one["payment_id"] for one in rest)]) == made
    assert {one["attempts"] for _, pull in pulls for one in pull} == {1}


def test_a_key_reaches_its_divisions_only(desk, bank, client, session) -> None:
    (payment,) = desk.pay(10, division="450200")
    assert bank.pull() == []
    assert bank.tell(paid(payment, 10))[0]["problem"] == "unknown"
    asked = client.post(INSTRUCTIONS, params={**DAYS, "division": "450200"}, headers=bank.headers)
    assert asked.status_code == 403
    assert "450200" in asked.json()["detail"]
    everywhere = Bank(client, session("payment.bank", actor="icbc"))
    assert client.post(INSTRUCTIONS, params=DAYS, headers=everywhere.headers).status_code == 422
    assert [one["payment_id"] for one in everywhere.pull(division=["450200", "450100"])] == [payment]
    everywhere.tell(paid(payment, 10))


def test_it_takes_the_banks_permission(client, session) -> None:
    headers = {"Authorization": f"Bearer {session('payment.read', 'payment.post', 'payment.review')}"}
    assert client.post(INSTRUCTIONS, headers=headers).status_code == 403
    assert client.post(RECEIPTS, json=[paid(1, 1)], headers=headers).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "paid", "paid_amount": 0},
        {"outcome": "paid", "bank_no": ""},
        {"outcome": "failed"},
        {"outcome": "failed", "paid_amount": 0},
        {"outcome": "failed", "paid_amount": 0, "reason": " "},
        {"outcome": "lost"},
        {"paid_amount": -1},
        {"paid_amount": 1.5},
        {"bank_no": "a b"},
        {"bank_no": "x" * 31},
        {"reason": "a\u0000b"},
        {"unknown": 1},
    ],
)
def test_wrong_input_is_refused(client, bank, wrong) -> None:
    answer = client.post(RECEIPTS, json=[paid(1, 1) | wrong], headers=bank.headers)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_too_many_or_none_are_refused(client, bank) -> None:
    for many in ([], [paid(1, 1)] * 1001):
        assert client.post(RECEIPTS, json=many, headers=bank.headers).status_code == 422
    for asked in ({"limit": 0}, {"limit": 1001}, {"lease_seconds": 0}, {"division": "45"}, {"x": 1}):
        assert client.post(INSTRUCTIONS, params=asked, headers=bank.headers).status_code == 422


CLOSE = """
INSERT INTO ledger.period (fiscal_year, division, period, closed_by, closed_at)
SELECT 2010, %s, period, 'test', now() FROM generate_series(1, %s) AS period
    ON CONFLICT (fiscal_year, division, period) DO UPDATE SET closed_by = 'test', closed_at = now()
"""


def test_after_its_month_was_closed_a_return_is_booked_in_the_next_open_one(desk) -> None:
    bank = desk.bank("icbc", "450300")
    one, two = desk.pay(10, 20, division="450300")
    bank.pull()
    desk.books.execute(CLOSE, ("450300", 4))
    answers = bank.tell(failed(one), paid(two, 20), refunded(two, 5, "R1"))
    assert [a["problem"] for a in answers] == ["", "", ""]
    query = "SELECT pay_date::text FROM payment.payment WHERE undoes = ANY (%s)"
    assert desk.books.execute(query, ([one, two],)).fetchall() == [("2010-05-01",), ("2010-05-01",)]


def test_a_closed_year_takes_no_return_and_says_so(desk) -> None:
    bank = desk.bank("icbc", "450400")
    one, two, three = desk.pay(10, 20, 30, division="450400")
    bank.pull()
    bank.tell(refunded(three, 5, "R1"))
    desk.books.execute(CLOSE, ("450400", 12))
    answers = bank.tell(failed(one), paid(two, 20), refunded(two, 5, "R1"), paid(three, 30))
    assert [a["problem"] for a in answers] == ["closed", "", "closed", ""]
    assert [desk.state(n)[0] for n in (one, two, three)] == ["sent", "paid", "paid"]
    assert [desk.left(n) for n in (one, two, three)] == [10, 20, 30]
    assert [desk.problems(n) for n in (one, two, three)] == [[("closed", 1)]] * 3


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payment.bank_order SET state = 'sent', answered_at = NULL WHERE payment_id = %s",
        "UPDATE payment.bank_order SET paid_date = '2010-03-07' WHERE payment_id = %s",
        "DELETE FROM payment.bank_order WHERE payment_id = %s",
    ],
)
def test_an_answer_stays(desk, bank, database, change) -> None:
    (payment,) = desk.pay(10)
    bank.pull()
    bank.tell(paid(payment, 10))
    with shown(database.owner, desk.token) as cx, pytest.raises(psycopg.Error) as refused:
        cx.execute(change, (payment,))
    assert refused.value.sqlstate == "JC002"
