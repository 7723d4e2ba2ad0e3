"""The daily clearing and the zero-balance check."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.platform.banking import Bank, Desk, desk_of, failed, paid, refunded
from tests.platform.posting import order, shown

CLEARINGS = "/api/v1/payment/clearings"
ZERO = f"{CLEARINGS}/zero-balance"


@pytest.fixture
def desk(database, client: TestClient, session) -> Iterator[Desk]:
    with desk_of(database.app, database.owner, client, session) as desk:
        yield desk


# Each test has a city of its own, so that what one leaves is not in another's sums.
CITIES = cycle([f"45{number:02}00" for number in range(2, 15)])


@pytest.fixture
def city() -> str:
    return next(CITIES)


@pytest.fixture
def bank(desk: Desk, city: str) -> Bank:
    return desk.bank("icbc", city)


class Office:
    """Two people who clear, and one who looks."""

    def __init__(self, desk: Desk, city: str) -> None:
        self.client, self.city = desk.client, city
        self.tokens = {
            name: desk.opened("payment.read", "payment.review", "payment.post", divisions=(city,), actor=name)
            for name in ("zhang", "li")
        }

    def headers(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[name]}", "Accept-Language": "en"}

    def draw(self, day: str = "2010-03-06", name: str = "zhang", **more: Any) -> Any:
        asked = {"fiscal_year": 2010, "division": self.city, "clearing_date": day, "pay_type": "direct"}
        return self.client.post(CLEARINGS, json=asked | more, headers=self.headers(name))

    def step(self, sheet: Any, step: str, name: str = "li") -> Any:
        return self.client.post(f"{CLEARINGS}/{sheet['id']}/{step}", headers=self.headers(name))

    def zero(self, day: str = "2010-03-31") -> Any:
        asked = {"fiscal_year": 2010, "division": self.city, "day": day}
        answer = self.client.get(ZERO, params=asked, headers=self.headers("li"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def names(self, day: str = "2010-03-31") -> dict[str, int]:
        """Name → fen; everything open has one, and they add up to what the ledger says."""
        found = self.zero(day)
        assert found["unexplained"] == 0
        return {one["name"]: one["amount"] for one in found["differences"]}


@pytest.fixture
def office(desk: Desk, city: str) -> Office:
    return Office(desk, city)


def test_a_day_is_cleared_by_two_people_and_the_account_is_zero(desk, bank, office, city) -> None:
    one, two, three, four = desk.pay(100, 200, 400, 800, division=city)
    assert office.names() == {"not_sent": 1_500}
    bank.pull()
    assert office.names() == {"unanswered": 1_500}
    bank.tell(paid(one, 100), paid(two, 200), failed(three), paid(four, 800, paid_date="2010-03-07"))
    assert office.names() == {"not_cleared": 1_100}
    assert office.names("2010-03-06") == {"not_cleared": 300, "unanswered": 800}

    sheet = office.draw().json()
    assert (sheet["paid_count"], sheet["paid"], sheet["amount"], sheet["state"]) == (2, 300, 300, "requested")
    assert office.draw(name="li").json() == sheet
    assert office.step(sheet, "confirm", "zhang").status_code == 403
    assert office.names("2010-03-06") == {"not_cleared": 300, "unanswered": 800}
    booked = office.step(sheet, "confirm").json()
    assert (booked["state"], booked["made_by"], booked["checked_by"]) == ("booked", "zhang", "li")
    assert office.step(sheet, "confirm").json() == booked

    lines = desk.books.execute(
        "SELECT v.source, v.made_by, v.checked_by, l.account, l.debit, l.credit FROM ledger.voucher AS v"
        " JOIN ledger.voucher_line AS l ON l.voucher_id = v.id WHERE v.id = %s ORDER BY line_no",
        (booked["voucher_id"],),
    ).fetchall()
    who = ("clearing", "zhang", "li")
    assert lines == [(*who, "103", 300, 0), (*who, "101", 0, 300)]
    again = office.draw()
    assert again.status_code == 409
    assert "left to be cleared" in again.json()["detail"]

    office.step(office.draw("2010-03-07").json(), "confirm")
    found = office.zero()
    assert (found["differences"], found["ledger"], found["zero"]) == ([], 0, True)
    assert office.names("2010-03-06") == {"unanswered": 800}


def test_what_comes_late_is_the_days_next_sheet(desk, bank, office, city) -> None:
    one, two = desk.pay(100, 200, division=city)
    bank.pull()
    bank.tell(paid(one, 100))
    office.step(office.draw().json(), "confirm")
    bank.tell(paid(two, 200))
    second = office.draw().json()
    assert (second["number"], second["paid"]) == (2, 200)
    office.step(second, "confirm")
    assert office.zero()["zero"]


def test_what_is_told_in_january_is_cleared_on_the_old_years_last_day(desk, bank, office, city) -> None:
    one, two = desk.pay(100, 200, division=city, pay_date=dt.date(2010, 12, 30))
    bank.pull()
    bank.tell(paid(one, 100, paid_date="2011-01-02"), failed(two, paid_date="2011-01-02"))
    returned = desk.books.execute("SELECT pay_date FROM payment.payment WHERE undoes = %s", (two,)).fetchone()
    assert returned == (dt.date(2010, 12, 31),)
    assert office.draw("2010-12-30").status_code == 409
    sheet = office.draw("2010-12-31").json()
    assert sheet["paid"] == 100
    office.step(sheet, "confirm")
    assert office.zero("2010-12-31")["zero"]


def test_each_way_of_payment_has_its_own_sheet_and_units_their_own_accounts(desk, bank, office, city) -> None:
    made = [*desk.pay(100, division=city), *desk.pay(30, division=city, pay_type="authorised")]
    bank.pull()
    bank.tell(*(paid(one, amount) for one, amount in zip(made, (100, 30), strict=True)))
    found = [(one["pay_type"], one["holder"], one["amount"]) for one in office.zero()["differences"]]
    assert found == [("authorised", "101001", 30), ("direct", "", 100)]
    office.step(office.draw(pay_type="authorised").json(), "confirm")
    assert [one["pay_type"] for one in office.zero()["differences"]] == ["direct"]
    office.step(office.draw().json(), "confirm")
    assert (office.zero()["zero"], office.zero()["accounts"]) == (True, 2)


def test_refunds_are_cleared_too_and_alone_they_are_red(desk, bank, office, city) -> None:
    (one,) = desk.pay(1_000, division=city)
    bank.pull()
    bank.tell(paid(one, 1_000), refunded(one, 300, "R1"))
    office.step(office.draw().json(), "confirm")
    # The refund is of the 8th: on the 6th the account is zero, at the end of the month it is owed to.
    assert office.names("2010-03-06") == {}
    assert office.names() == {"refund_not_cleared": -300}
    red = office.draw("2010-03-08").json()
    assert (red["paid"], red["refunded"], red["amount"]) == (0, 300, -300)
    assert office.step(red, "confirm").json()["voucher_id"]
    assert office.zero()["zero"]


def test_a_sheet_of_nothing_on_balance_books_no_voucher(desk, bank, office, city) -> None:
    (one,) = desk.pay(500, division=city)
    bank.pull()
    bank.tell(paid(one, 500), refunded(one, 500, "R1"))
    sheet = office.draw("2010-03-08").json()
    assert (sheet["paid"], sheet["refunded"], sheet["amount"]) == (500, 500, 0)
    booked = office.step(sheet, "confirm").json()
    assert (booked["state"], booked["voucher_id"]) == ("booked", None)
    assert office.zero()["zero"]


def test_a_withdrawn_sheet_leaves_everything_to_be_cleared(desk, bank, office, city) -> None:
    (one,) = desk.pay(500, division=city)
    bank.pull()
    bank.tell(paid(one, 500))
    sheet = office.draw().json()
    withdrawn = office.step(sheet, "withdraw").json()
    assert withdrawn["state"] == "withdrawn"
    assert office.step(sheet, "withdraw").json() == withdrawn
    assert office.step(sheet, "confirm").status_code == 409
    assert office.names() == {"not_cleared": 500}
    second = office.draw().json()
    assert (second["number"], second["amount"]) == (2, 500)
    office.step(second, "confirm")
    assert office.step(second, "withdraw").status_code == 409
    assert office.zero()["zero"]


def test_many_at_once_draw_and_book_one(desk, bank, office, city) -> None:
    made = desk.pay(*[7] * 30, division=city)
    bank.pull()
    bank.tell(*(paid(one, 7) for one in made))
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda n: office.draw(name=("zhang", "li")[n % 2]), range(8)))
        assert {one.status_code for one in drawn} == {200}
        (sheet,) = {one.text: one.json() for one in drawn}.values()
        other = "li" if sheet["made_by"] == "zhang" else "zhang"
        answers = list(pool.map(lambda _: office.step(sheet, "confirm", other), range(8)))
    assert len({one.text for one in answers}) == 1
    number = desk.books.execute(
        "SELECT count(*) FROM ledger.voucher WHERE source = 'clearing' AND division = %s", (city,)
    ).fetchone()
    assert number == (1,)
    assert office.zero()["zero"]


def test_what_people_undo_without_the_bank_has_a_name(desk, bank, office, city) -> None:
    (one,) = desk.pay(500, division=city)
    bank.pull()
    bank.tell(paid(one, 500))
    office.step(office.draw().json(), "confirm")
    quota = desk.books.execute("SELECT quota_id FROM payment.payment WHERE id = %s", (one,)).fetchone()
    assert quota
    desk.post(order(quota[0], -50, kind="refund", undoes=one, division=city))
    assert office.names() == {"undone_without_bank": -50}


def test_a_voucher_by_hand_on_the_account_is_unexplained(desk, office, city) -> None:
    desk.books.execute(
        """
        SELECT ledger.book(ARRAY[ROW(nextval('ledger.voucher_id'), 2010, %s, '2010-03-09', 'clearing', '*',
                                     '', '', 77, 'by hand', 'manual', NULL, 'a', 'b')::ledger.booking])
        """,
        (city,),
    )
    found = office.zero()
    assert (found["ledger"], found["unexplained"], found["zero"]) == (-77, -77, False)
    assert office.zero("2010-03-08")["zero"]


def test_a_closed_month_is_cleared_later(desk, bank, office, city) -> None:
    (one,) = desk.pay(500, division=city)
    bank.pull()
    bank.tell(paid(one, 500))
    sheet = office.draw().json()
    desk.books.execute(
        "UPDATE ledger.period SET closed_by = 'x', closed_at = now() WHERE division = %s", (city,)
    )
    answer = office.step(sheet, "confirm")
    assert answer.status_code == 409
    assert f"{city} 2010 3" in answer.json()["detail"]
    office.step(sheet, "withdraw")
    office.step(office.draw("2010-04-01").json(), "confirm")
    assert office.names() == {"not_cleared": 500}
    assert office.zero("2010-04-30")["zero"]


def test_what_is_booked_stays(desk, bank, office, city, database) -> None:
    (one,) = desk.pay(500, division=city)
    bank.pull()
    bank.tell(paid(one, 500))
    sheet = office.step(office.draw().json(), "confirm").json()
    for change in (
        "UPDATE payment.clearing SET paid = 1 WHERE id = %s",
        "DELETE FROM payment.clearing WHERE id = %s",
        "UPDATE payment.bank_order SET clearing_id = NULL WHERE clearing_id = %s",
    ):
        with shown(database.owner, desk.token) as cx, pytest.raises(psycopg.Error) as refused:
            cx.execute(change, (sheet["id"],))
        assert refused.value.sqlstate == "JC002"


@pytest.mark.parametrize(
    "wrong", [{"clearing_date": "2011-03-06"}, {"fiscal_year": 2999, "clearing_date": "2999-01-01"}, {"x": 1}]
)
def test_wrong_days_are_refused(desk, wrong) -> None:
    office = Office(desk, "450100")
    assert office.draw(**wrong).status_code == 422


def test_who_may_not(desk, client, session) -> None:
    office = Office(desk, "450100")
    assert office.step({"id": 10**9}, "confirm").status_code == 404
    unit = session("payment.read", "payment.review", divisions=("450100",), agencies=("101001",))
    for permissions in ("payment.read", "payment.post", "payment.bank"):
        headers = {"Authorization": f"Bearer {session(permissions)}"}
        assert client.post(CLEARINGS, json={}, headers=headers).status_code == 403
    headers = {"Authorization": f"Bearer {unit}"}
    asked = {"fiscal_year": 2010, "division": "450100", "day": "2010-03-31"}
    assert client.get(ZERO, params=asked, headers=headers).status_code == 403
