"""The three access systems that come with the platform: schema, route, page and menu entry."""

import asyncio
from typing import LiteralString

import psycopg
import pytest
from fastapi.testclient import TestClient
from jincai import demonstration, plugins

from tests.platform.posting import make_quota, order, posted, shown

BOOKS = {"fiscal_year": 2016, "division": "450100"}
PAYMENTS = {"fiscal_year": 2010, "division": "450100"}
LISTS = ["budget/indicators", "payment/payments", "ledger/vouchers"]


@pytest.fixture(scope="module", autouse=True)
def _rows(database, session) -> None:
    """The demonstration's rows, and two payments."""
    for _ in range(2):  # again changes nothing
        demonstration.load(database.owner, plugins.load())
    token = session("payment.post")
    with shown(database.owner, token) as cx:
        quota = make_quota(cx, 500_000_000)
    paid = asyncio.run(posted(database.app, token, [order(quota, 356_000_000)]))[0].payment_id
    refund = order(quota, -56_000, kind="refund", undoes=paid)
    assert asyncio.run(posted(database.app, token, [refund]))[0].outcome == "posted"


def test_indicators(clerk: TestClient) -> None:
    body = clerk.get("/api/v1/budget/indicators", params=BOOKS).json()
    assert body["total"] == 3
    assert body["items"][0]["amount"] == 1_250_000_000


def test_payments(clerk: TestClient) -> None:
    body = clerk.get("/api/v1/payment/payments", params=PAYMENTS | {"limit": 1, "offset": 1}).json()
    assert (body["total"], len(body["items"])) == (2, 1)
    assert body["items"][0]["amount"] == -56_000


def test_vouchers_balance(clerk: TestClient) -> None:
    items = clerk.get("/api/v1/ledger/vouchers", params=BOOKS).json()["items"]
    assert [one["debit"] for one in items] == [one["credit"] for one in items] == [820_000_000, 356_000_000]
    assert [line["debit"] for line in items[0]["lines"]] == [820_000_000, 0]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("fiscal_year=2016", "division"),
        ("fiscal_year=x&division=450100", "fiscal_year"),
        ("fiscal_year=2016&division=45", "division"),
        ("fiscal_year=2016&division=450100&limit=1000", "limit"),
        ("fiscal_year=2016&division=450100&yaer=1", "yaer"),
    ],
)
def test_bad_input_names_its_field(clerk: TestClient, path: str, query: str, field: str) -> None:
    answer = clerk.get(f"/api/v1/{path}?{query}")
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("path", LISTS)
def test_the_menu_leads_to_a_page_that_offers_the_books(clerk: TestClient, path: str) -> None:
    books = PAYMENTS if path == "payment/payments" else BOOKS
    assert f'href="/{path}"' in clerk.get("/").text
    page = clerk.get(f"/{path}")
    assert page.status_code == 200
    assert f"{books['fiscal_year']} · 450100 南宁市" in page.text
    assert "示例" in clerk.get(f"/{path}", params=books).text


def test_a_page_shows_yuan_and_words(clerk: TestClient) -> None:
    text = clerk.get("/payment/payments", params=PAYMENTS).text
    assert "3,560,000.00" in text
    assert "-560.00" in text
    assert "退款" in text
    assert "Refund" in clerk.get("/payment/payments", params=PAYMENTS | {"lang": "en"}).text
    clerk.get("/", params={"lang": "zh"})


@pytest.mark.parametrize(
    "forbidden",
    [
        "DELETE FROM budget.indicator",
        "UPDATE payment.payment SET amount = 1",
        "DELETE FROM payment.quota",
        "UPDATE ledger.voucher SET summary = 'x'",
        "TRUNCATE ledger.voucher_line",
    ],
)
def test_what_is_booked_stays(database, forbidden: LiteralString) -> None:
    with (
        psycopg.connect(database.app, autocommit=True) as cx,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        cx.execute(forbidden)


def test_a_line_is_on_one_side(database, session) -> None:
    both = """
        INSERT INTO ledger.voucher_line
               (voucher_id, line_no, fiscal_year, division, period, account, debit, credit)
        SELECT id, 9, fiscal_year, division, period, '1001', 1, 1 FROM ledger.voucher LIMIT 1
    """
    with shown(database.owner, session()) as cx, pytest.raises(psycopg.errors.CheckViolation):
        cx.execute(both)
