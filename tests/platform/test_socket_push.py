"""Pushing over REST: all documents or none, every wrong line named, a key answered the same for ever."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.platform.posting import assert_books_agree, make_quota, shown, token_for_all
from tests.platform.socket_books import DOCUMENTS, new_key, order, publish_codes, push


@pytest.fixture(scope="module")
def pusher(database, client: TestClient) -> TestClient:
    publish_codes(database.owner)
    client.headers.update(
        {"Authorization": f"Bearer {new_key(database.auth, '示例软件')}", "Accept-Language": "en"}
    )
    return client


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx
        assert_books_agree(cx)


def left_behind(books: psycopg.Connection, pushed: dict) -> tuple[int, int, int]:
    keys = [one.get("idempotency_key") for one in pushed["documents"]]
    count = "SELECT count(*) FROM {} WHERE idempotency_key = ANY (%s)"
    asked = [("payment.payment", keys), ("payment.refusal", keys)]
    asked += [("hub.socket_push", [pushed["idempotency_key"]])]
    return tuple(books.execute(count.format(table), (some,)).fetchone()[0] for table, some in asked)


def test_orders_are_posted_and_the_same_key_answers_the_same(pusher: TestClient, books) -> None:
    quota = make_quota(books, 150)
    pushed = push(order(quota), order(quota))
    first = pusher.post(DOCUMENTS, json=pushed)
    assert first.status_code == 200, first.text
    assert [one["reason"] for one in first.json()["results"]] == ["", "over_quota"]
    assert pusher.post(DOCUMENTS, json=pushed).json() == first.json()
    assert books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone() == (100,)
    kept = "SELECT pushed_by, documents FROM hub.socket_push WHERE idempotency_key = %s"
    assert books.execute(kept, (pushed["idempotency_key"],)).fetchone() == ("示例软件", 2)


def test_another_content_under_the_key_is_refused(pusher: TestClient, books) -> None:
    quota = make_quota(books, 1_000)
    pushed = push(order(quota))
    assert pusher.post(DOCUMENTS, json=pushed).status_code == 200
    other = pusher.post(DOCUMENTS, json=pushed | {"documents": [order(quota, amount=101)]})
    assert other.status_code == 409
    assert pushed["idempotency_key"] in other.json()["detail"]
    assert books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone() == (100,)


def test_the_same_push_at_once_is_done_once(pusher: TestClient, books) -> None:
    quota = make_quota(books, 100_000)
    pushed = push(*(order(quota) for _ in range(50)))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: pusher.post(DOCUMENTS, json=pushed), range(8)))
    assert {one.status_code for one in answers} == {200}
    assert len({one.text for one in answers}) == 1
    assert books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone() == (5_000,)


def test_killed_after_posting_the_same_push_goes_on(pusher: TestClient, books, database) -> None:
    quota = make_quota(books, 1_000)
    pushed = push(order(quota))
    pusher.post(DOCUMENTS, json=pushed)
    with psycopg.connect(database.owner) as cx:  # as if the process had died before it kept the answer
        cx.execute("SELECT set_config('jincai.session', %s, false)", (token_for_all(database.owner),))
        cx.execute("ALTER TABLE hub.socket_push DISABLE TRIGGER answered_stays")
        cx.execute("UPDATE hub.socket_push SET answer = NULL, answered_at = NULL")
        cx.execute("ALTER TABLE hub.socket_push ENABLE TRIGGER answered_stays")
    again = pusher.post(DOCUMENTS, json=pushed).json()
    assert [(one["outcome"], one["again"]) for one in again["results"]] == [("posted", True)]
    assert books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone() == (100,)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"agency_code": "999999"}, "agency_code"),
        ({"fiscal_year": 2011, "pay_date": "2011-03-05"}, "fiscal_year"),
        ({"pay_date": "2011-03-05"}, "pay_date"),
        ({"division": "450200"}, "division"),
        ({"amount": -5}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": 1.0}, "amount"),
        ({"amount": "100"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 10**30}, "amount"),
        ({"purpose": "a\u0000b"}, "purpose"),
        ({"kind": "refund"}, "undoes"),
        ({"idempotency_key": "short"}, "idempotency_key"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_one_wrong_line_refuses_the_whole_push_and_is_named(
    pusher: TestClient, books, wrong: dict, field: str
) -> None:
    quota = make_quota(books, 1_000)
    pushed = push(order(quota), order(quota, **wrong), order(quota))
    answer = pusher.post(DOCUMENTS, json=pushed)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["field"] for one in answer.json()["errors"]] == [f"documents.1.{field}"]
    assert left_behind(books, pushed) == (0, 0, 0)


def test_every_wrong_line_is_named(pusher: TestClient, books) -> None:
    quota = make_quota(books, 1_000)
    pushed = push(*(order(quota, amount=1.5) for _ in range(1000)))
    fields = [one["field"] for one in pusher.post(DOCUMENTS, json=pushed).json()["errors"]]
    assert fields == [f"documents.{n}.amount" for n in range(1000)]


def test_a_surrogate_is_no_text(pusher: TestClient) -> None:
    body = b'{"kind":"payment_order","fiscal_year":2010,"division":"450100","idempotency_key":"k-000001",'
    answer = pusher.post(DOCUMENTS, content=body + b'"documents":[{"purpose":"\\ud800"}]}')
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"kind": "unheard_of"}, 404),
        ({"kind": "voucher"}, 404),
        ({"kind": "x" * 99}, 422),
        ({"division": "450200"}, 403),
        ({"idempotency_key": "short"}, 422),
        ({"documents": []}, 422),
        ({"documents": [{}] * 1001}, 422),
        ({"documents": [1]}, 422),
        ({"more": 1}, 422),
    ],
)
def test_a_wrong_push_is_refused(pusher: TestClient, books, wrong: dict, status: int) -> None:
    pushed = push(order(make_quota(books, 1_000))) | wrong
    answer = pusher.post(DOCUMENTS, json=pushed)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_too_large_is_refused(pusher: TestClient) -> None:
    assert pusher.post(DOCUMENTS, content=b" " * (10 * 1024 * 1024)).status_code == 413


def test_a_year_without_an_edition_has_no_codes(pusher: TestClient, books) -> None:
    wrong = order(make_quota(books, 1_000), fiscal_year=2009, pay_date="2009-03-05")
    pushed = push(wrong, fiscal_year=2009)
    found = pusher.post(DOCUMENTS, json=pushed).json()["errors"]
    assert [one["field"] for one in found] == ["documents.0.agency_code"] + [
        f"documents.0.{name}" for name in ("set_mode_code", "payee_kind_code")
    ]


def test_checking_does_nothing(pusher: TestClient, books) -> None:
    pushed = push(order(make_quota(books, 1_000)))
    answer = pusher.post(DOCUMENTS, json=pushed, params={"check": "true"}).json()
    assert (answer["received"], answer["results"]) == (1, [])
    assert left_behind(books, pushed) == (0, 0, 0)


def test_a_push_refused_as_a_whole_frees_its_key(pusher: TestClient, books) -> None:
    quota = make_quota(books, 1_000)
    books.execute(
        "INSERT INTO ledger.period (fiscal_year, division, period, closed_by, closed_at)"
        " VALUES (2010, '450100', 11, 'test', now())"
    )
    pushed = push(order(quota, pay_date="2010-11-05"))
    assert pusher.post(DOCUMENTS, json=pushed).status_code == 409
    assert left_behind(books, pushed) == (0, 0, 0)
    assert pusher.post(DOCUMENTS, json=pushed | {"documents": [order(quota)]}).status_code == 200


def test_both_permissions_are_needed(client: TestClient, books, session) -> None:
    pushed = push(order(make_quota(books, 1_000)))
    for some in (["socket.push"], ["payment.post"], []):
        bearer = {"Authorization": f"Bearer {session(*some)}"}
        assert client.post(DOCUMENTS, json=pushed, headers=bearer).status_code == 403
    assert client.post(DOCUMENTS, json=pushed, headers={"Authorization": ""}).status_code == 401


def test_an_answer_never_changes(pusher: TestClient, books) -> None:
    pushed = push(order(make_quota(books, 1_000)))
    pusher.post(DOCUMENTS, json=pushed)
    for change in ("UPDATE hub.socket_push SET answer = '{}'", "DELETE FROM hub.socket_push"):
        with pytest.raises(psycopg.Error, match="never changes"):
            books.execute(f"{change} WHERE answer IS NOT NULL")
