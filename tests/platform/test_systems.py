"""The three access systems that come with the platform: schema, route, page and menu entry."""

from typing import LiteralString

import psycopg
import pytest
from fastapi.testclient import TestClient
from jincai import demonstration, plugins

BOOKS = {"fiscal_year": 2016, "division": "450100"}
LISTS = ["budget/indicators", "payment/orders", "ledger/vouchers"]


@pytest.fixture(scope="module", autouse=True)
def _rows(database) -> None:
    for _ in range(2):  # again changes nothing
        demonstration.load(database.owner, plugins.load())


def test_indicators(client: TestClient) -> None:
    body = client.get("/api/v1/budget/indicators", params=BOOKS).json()
    assert body["total"] == 3
    assert body["items"][0]["amount"] == 1_250_000_000


def test_payment_orders(client: TestClient) -> None:
    body = client.get("/api/v1/payment/orders", params=BOOKS | {"limit": 2, "offset": 2}).json()
    assert (body["total"], len(body["items"])) == (4, 2)
    assert body["items"][1]["amount"] == -56_000


def test_vouchers_balance(client: TestClient) -> None:
    items = client.get("/api/v1/ledger/vouchers", params=BOOKS).json()["items"]
    assert [one["debit"] for one in items] == [one["credit"] for one in items] == [820_000_000, 356_000_000]
    assert [line["name"] for line in items[0]["lines"]] == ["国库存款", "一般公共预算本级收入"]


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
def test_bad_input_names_its_field(client: TestClient, path: str, query: str, field: str) -> None:
    answer = client.get(f"/api/v1/{path}?{query}")
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("path", LISTS)
def test_the_menu_leads_to_a_page_that_offers_the_books(client: TestClient, path: str) -> None:
    assert f'href="/{path}"' in client.get("/").text
    page = client.get(f"/{path}")
    assert page.status_code == 200
    assert "2016 · 450100 南宁市" in page.text
    assert "示例" in client.get(f"/{path}", params=BOOKS).text


def test_a_page_shows_yuan_and_words(client: TestClient) -> None:
    text = client.get("/payment/orders", params=BOOKS).text
    assert "3,560,000.00" in text
    assert "-560.00" in text
    assert "已清算" in text
    assert "Cleared" in client.get("/payment/orders", params=BOOKS | {"lang": "en"}).text
    client.get("/", params={"lang": "zh"})


@pytest.mark.parametrize(
    "forbidden",
    [
        "DELETE FROM budget.indicator",
        "UPDATE payment.payment_order SET amount = 1",
        "DELETE FROM ledger.account",
        "UPDATE ledger.voucher SET summary = 'x'",
        "TRUNCATE ledger.voucher_line",
    ],
)
def test_the_application_may_only_read(database, forbidden: LiteralString) -> None:
    with (
        psycopg.connect(database.app, autocommit=True) as cx,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        cx.execute(forbidden)


def test_a_line_is_on_one_side(database) -> None:
    both = "INSERT INTO ledger.voucher_line SELECT id, 9, '2015', '1001', 1, 1 FROM ledger.voucher LIMIT 1"
    with psycopg.connect(database.owner) as cx, pytest.raises(psycopg.errors.CheckViolation):
        cx.execute(both)
