"""One fund followed from its indicator to the bank's receipt, what came back of it, and its alerts."""

import psycopg
import pytest

from tests.platform.banking import Bank, paid, refunded
from tests.platform.desk import API, Person, make_indicator, reviewed, step, submitted
from tests.platform.desk_fixtures import books, reviewer, signer, unit

__all__ = ["books", "reviewer", "signer", "unit"]

BOOKS = {"fiscal_year": 2010, "division": "450100"}


@pytest.fixture
def payment(books, unit, reviewer, signer, client, session) -> int:  # noqa: PLR0917 - everybody's part
    """A payment by way of everybody: planned, asked for, signed, paid, cleared, and refunded in part."""
    indicator = make_indicator(books)
    plan = submitted(unit, indicator)
    assert reviewer.post(f"{API}/plans/approve", {"ids": [plan]}).status_code == 200
    row = books.execute("SELECT id FROM payment.quota WHERE indicator_id = %s", (indicator,)).fetchone()
    assert row
    application = reviewed(unit, reviewer, row[0])
    number = int(step(signer, "sign", application).json()[0]["payment_id"])
    bank = Bank(client, session("payment.bank", divisions=("450100",), actor="icbc"))
    bank.pull()
    bank.tell(paid(number, 4_000, "RECEIPT-1"))
    day = {**BOOKS, "clearing_date": "2010-03-06", "pay_type": "direct"}
    drawn = reviewer.post(f"{API}/clearings", day)
    assert drawn.status_code == 200, drawn.text
    assert signer.post(f"{API}/clearings/{drawn.json()['id']}/confirm", {}).status_code == 200
    bank.tell(refunded(number, 1_500, "BACK-1"))
    alert(books, number, "R2", "payment")
    alert(books, indicator, "R13", "indicator")
    alert(books, number, "R9", "payment", shadow=True)
    return number


def alert(books: psycopg.Connection, about: int, rule: str, subject: str, *, shadow: bool = False) -> None:
    books.execute(
        """
        INSERT INTO monitor.alert (fiscal_year, division, agency_code, subject, subject_id, as_of, amount,
                                   rule, version, edition, stage, level, disposal, shadow, found_by)
        VALUES (2010, '450100', '101001', %s, %s, '2010-03-06', 4000, %s, 1, 1, 'during', 'orange', 'warn',
                %s, 'posting')
        """,
        (subject, about, rule, shadow),
    )


def test_every_step_of_a_fund_is_told(payment, client, session) -> None:
    watcher = Person(client, session("payment.read", "monitor.read", divisions=["450100"]))
    found = watcher.get(f"{API}/search/{payment}/trace").json()
    told = [(one["stage"], one["state"], one["who"]) for one in found["steps"]]
    assert told == [
        ("indicator", None, None),
        ("plan", "approved", "unit → reviewer"),
        ("quota", None, None),
        ("application", "made", "unit"),
        ("application", "submitted", "unit"),
        ("application", "reviewed", "reviewer"),
        ("application", "signed", "signer"),
        ("payment", "payment", "signer"),
        ("sent", None, "icbc"),
        ("answered", "paid", "icbc"),
        ("clearing", "booked", "reviewer → signer"),
        ("refund", "posted", "icbc"),
        ("undone", "refund", "icbc"),
        ("alert", "orange", None),
        ("alert", "orange", None),
    ]
    by_stage = {one["stage"]: one for one in found["steps"]}
    assert (by_stage["quota"]["amount"], by_stage["refund"]["amount"]) == (100_000, -1_500)
    assert [one["note"] for one in found["steps"] if one["stage"] == "alert"] == ["R2 v1", "R13 v1"]
    assert all(by_stage[one]["ledger"] for one in ("payment", "clearing", "undone"))
    page = watcher.page(f"/payment/search/{payment}").text
    for text in (
        "预算指标",
        "RECEIPT-1",
        "监控预警",
        "R13 v1",
        "-15.00",
        "银行退款",
        'href="/monitor/alerts/',
    ):
        assert text in page
    assert "R9" not in page
    # Every link that is ours leads somewhere.
    everything = Person(client, session("payment.read", "budget.read", "ledger.read", divisions=["450100"]))
    for one in found["steps"]:
        if one["link"] and one["stage"] != "alert":
            assert everything.page(one["link"]).status_code == 200, one["link"]
        if one["ledger"]:
            assert everything.page(f"/ledger/vouchers/{one['ledger']}").status_code == 200
    # What undoes a payment leads to that payment's way.
    back = by_stage["undone"]["number"]
    assert watcher.get(f"{API}/search/{back}/trace").json()["payment"]["id"] == payment
    assert "冲减本笔支付" in watcher.page(f"/payment/search/{back}").text


def test_alerts_are_for_who_may_see_them(payment, unit, client, session) -> None:
    found = unit.get(f"{API}/search/{payment}/trace").json()
    assert not found["alerts_shown"]
    assert "alert" not in {one["stage"] for one in found["steps"]}
    assert "预警未列出" in unit.page(f"/payment/search/{payment}").text
    stranger = Person(client, session("payment.read", "monitor.read", divisions=["450200"]))
    assert stranger.get(f"{API}/search/{payment}/trace").status_code == 404
    assert stranger.page(f"/payment/search/{payment}").status_code == 404
