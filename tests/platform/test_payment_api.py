"""Orders over HTTP: gathered, decided, answered; refused input leaves no trace."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.platform.posting import assert_books_agree, make_quota, shown, token_for_all

ORDERS = "/api/v1/payment/orders"


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx
        assert_books_agree(cx)


@pytest.fixture
def bearer(session) -> dict[str, str]:
    return {"Authorization": f"Bearer {session('payment.post', divisions=('450100',))}"}


def document(quota: int, **more: object) -> dict[str, object]:
    return {
        "idempotency_key": f"api-{quota}-0001",
        "fiscal_year": 2010,
        "division": "450100",
        "agency_code": "101001",
        "quota_id": quota,
        "amount": 100,
        "pay_date": "2010-03-05",
        "payee_name": "示例文具店",
        "payee_account": "4500000000000001",
        "purpose": "办公用品采购",
        **more,
    }


def test_an_order_is_posted_once_and_answered_the_same(client: TestClient, books, bearer) -> None:
    asked = document(make_quota(books, 1_000))
    first = client.post(ORDERS, json=asked, headers=bearer).json()
    again = client.post(ORDERS, json=asked, headers=bearer).json()
    assert (first["outcome"], first["again"]) == ("posted", False)
    assert again == first | {"again": True}


def test_concurrent_requests_share_a_quota_and_never_exceed_it(client: TestClient, books, bearer) -> None:
    quota = make_quota(books, 1_000)
    asked = [document(quota, idempotency_key=f"many-{quota}-{n:04}") for n in range(40)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda one: client.post(ORDERS, json=one, headers=bearer).json(), asked))
    assert sorted(one["outcome"] for one in answers) == ["posted"] * 10 + ["refused"] * 30
    assert {one["reason"] for one in answers} == {"", "over_quota"}


def test_a_batch_has_an_answer_for_each(client: TestClient, books, bearer) -> None:
    quota = make_quota(books, 150)
    asked = [document(quota, idempotency_key=f"batch-{quota}-{n}") for n in range(3)]
    answers = client.post(f"{ORDERS}/batch", json=asked, headers=bearer).json()
    assert [one["reason"] for one in answers] == ["", "over_quota", "over_quota"]


def test_another_division_is_not_reached(client: TestClient, books, bearer) -> None:
    quota = make_quota(books, 1_000, division="450200")
    answer = client.post(ORDERS, json=document(quota, division="450200"), headers=bearer)
    assert answer.json()["reason"] == "not_yours"


def test_who_may_only_read_posts_nothing(client: TestClient, books, session) -> None:
    asked = document(make_quota(books, 1_000))
    assert client.post(ORDERS, json=asked).status_code == 401
    reader = {"Authorization": f"Bearer {session('payment.read')}"}
    assert client.post(ORDERS, json=asked, headers=reader).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": -5},
        {"amount": 1.5},
        {"amount": 10**16},
        {"kind": "refund"},
        {"pay_date": "2011-03-05"},
        {"division": "45"},
        {"purpose": ""},
        {"purpose": "a\u0000b"},
        {"payee_name": "x" * 201},
        {"idempotency_key": "short"},
        {"unknown": 1},
    ],
)
def test_wrong_input_is_refused_and_leaves_no_trace(client: TestClient, books, bearer, wrong) -> None:
    quota = make_quota(books, 1_000)
    answer = client.post(ORDERS, json=document(quota, **wrong), headers=bearer)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone() == (0,)
    kept = "SELECT count(*) FROM payment.refusal WHERE idempotency_key LIKE %s"
    assert books.execute(kept, (f"api-{quota}-%",)).fetchone() == (0,)


def test_too_many_at_once_and_too_large_a_body_are_refused(client: TestClient, books, bearer) -> None:
    quota = make_quota(books, 1_000)
    many = [document(quota, idempotency_key=f"much-{quota}-{n:04}") for n in range(1_001)]
    assert client.post(f"{ORDERS}/batch", json=many, headers=bearer).status_code == 422
    body = b"[" + b" " * (10 * 1024 * 1024) + b"]"
    assert client.post(f"{ORDERS}/batch", content=body, headers=bearer).status_code == 413
    bad = client.post(ORDERS, content=b'{"purpose": "\xff\xfe"}', headers=bearer)
    assert bad.status_code in {400, 422}


def test_a_closed_period_answers_409_and_names_it(client: TestClient, books, session) -> None:
    quota = make_quota(books, 1_000, division="450400")
    books.execute(
        "INSERT INTO ledger.period (fiscal_year, division, period, closed_by, closed_at)"
        " VALUES (2010, '450400', 3, 'test', now()) ON CONFLICT DO NOTHING"
    )
    bearer = {"Authorization": f"Bearer {session('payment.post')}"}
    answer = client.post(ORDERS, json=document(quota, division="450400"), headers=bearer)
    assert answer.status_code == 409
    assert "450400 2010 3" in answer.json()["detail"]
