"""拦截: the list, the page with the rules that stopped an order, and what may be done with it."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from tests.platform.desk import API, Person
from tests.platform.posting import make_quota, order, posted, shown, token_for_all
from tests.platform.ruling import put_in_force, shipped, source

OF = "fiscal_year=2010&division=450100"
HTML = {"Accept": "text/html"}


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


@pytest.fixture(scope="module")
def supervisor(client, session) -> Person:
    token = session("payment.read", "monitor.release", divisions=["450100"], actor="supervisor")
    return Person(client, token)


@pytest.fixture(scope="module")
def reader(client, session) -> Person:
    return Person(client, session("payment.read", divisions=["450100"], actor="reader"))


@pytest.fixture
def hold(database, books):
    """Has an order stopped by the shipped R9 at the amount of its kind; its id among the held."""
    token = token_for_all(database.owner)
    numbers = iter(range(1, 100))

    def made(agency: str = "101001", amount: int = 500_000_000_000, **more: object) -> int:
        put_in_force(database.owner, *shipped("R9", "R11", "R12"))
        quota = make_quota(books, 10**12, agency=agency)
        key = f"held-page-{agency}-{quota}-{next(numbers)}"
        asyncio.run(posted(database.app, token, [order(quota, amount, key, agency_code=agency, **more)]))
        row = books.execute("SELECT id FROM payment.held WHERE idempotency_key = %s", (key,)).fetchone()
        assert row
        return int(row[0])

    return made


def test_the_page_says_which_rule_why_and_on_what_basis(reader, hold) -> None:
    page = reader.page(f"/payment/held/{hold()}")
    assert page.status_code == 200
    for text in (
        "R9 特大额支付",
        "付出后难以追回",
        "大额资金支付审核",
        "已拦截",
        "5,000,000,000.00",
        "示例文具店",
    ):
        assert text in page.text
    assert 'value="release"' not in page.text


def test_the_text_is_that_of_the_version_that_stopped_it(database, supervisor, hold) -> None:
    number = hold()
    later = source("R9", "amount = 1", stage="before", disposal="hold", title="后来的规则")
    put_in_force(database.owner, later)
    (rule,) = supervisor.get(f"{API}/held/{number}").json()["stopped_by"]
    assert (rule["rule"], rule["title"], rule["disposal"]) == ("R9", "特大额支付", "hold")


def test_the_list_shows_what_waits_unless_asked(supervisor, hold) -> None:
    waiting, rejected = hold(payee_name="等待公司"), hold(payee_name="驳回公司")
    assert supervisor.form(f"/payment/held/{rejected}", step="reject", reason="无依据").status_code == 303
    page = supervisor.client.get(f"/payment/held?{OF}", headers=supervisor.headers | HTML)
    assert page.url.params["state"] == "held"
    assert f"/payment/held/{waiting}" in page.text
    assert f"/payment/held/{rejected}" not in page.text
    blank = supervisor.client.get(f"/payment/held?{OF}&state=", headers=supervisor.headers | HTML)
    assert blank.url.params["state"] == "any"
    assert f"/payment/held/{rejected}" in blank.text
    found = supervisor.page(f"/payment/held?{OF}&state=rejected&payee=驳回公司")
    assert f"/payment/held/{rejected}" in found.text
    file = supervisor.page(f"/payment/held?{OF}&state=held&format=xlsx")
    assert file.content.startswith(b"PK")


def test_it_is_released_with_a_reason_and_then_paid(supervisor, hold) -> None:
    number = hold()
    blank = supervisor.form(f"/payment/held/{number}", step="release", reason="  ")
    assert blank.status_code == 422
    assert "请填写理由" in blank.text
    answer = supervisor.form(f"/payment/held/{number}", step="release", reason="已核对合同")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/payment/held/{number}")
    found = supervisor.get(f"{API}/held/{number}").json()
    assert (found["state"], found["decided_by"], found["reason"]) == ("released", "supervisor", "已核对合同")
    page = supervisor.page(f"/payment/held/{number}").text
    assert f"/payment/payments/{found['payment_id']}" in page
    assert "已核对合同" in page
    again = supervisor.form(f"/payment/held/{number}", step="reject", reason="反悔")
    assert again.status_code == 409


def test_nobody_releases_what_he_asked_for_nor_what_is_forbidden(supervisor, hold) -> None:
    own = hold(posted_by="supervisor")
    assert "须由他人放行或驳回" in supervisor.page(f"/payment/held/{own}").text
    assert supervisor.form(f"/payment/held/{own}", step="release", reason="自己").status_code == 403
    forbidden = hold(purpose="测试")
    page = supervisor.page(f"/payment/held/{forbidden}").text
    assert "禁止的支付不能放行" in page
    assert "R12 支付信息不完整" in page
    assert supervisor.form(f"/payment/held/{forbidden}", step="release", reason="想").status_code == 409


def test_a_rule_that_came_later_holds_it_again(database, supervisor, hold) -> None:
    number = hold()
    more = source("R920", "amount > 1", stage="before", disposal="hold", title="后来的规则")
    put_in_force(database.owner, *shipped("R9"), more)
    answer = supervisor.form(f"/payment/held/{number}", step="release", reason="已核对")
    assert answer.status_code == 409
    assert "R920" in answer.text
    assert "后来的规则" in supervisor.page(f"/payment/held/{number}").text


def test_who_may_not_release_may_look(reader, hold, client, session) -> None:
    number = hold()
    assert reader.form(f"/payment/held/{number}", step="release", reason="无权").status_code == 403
    assert reader.post(f"{API}/held/{number}/reject", {"reason": "无权"}).status_code == 403
    nobody = Person(client, session("budget.read", divisions=["450100"]))
    assert nobody.get(f"{API}/held/{number}").status_code == 403


def test_a_unit_sees_its_own(hold, client, session) -> None:
    own, other = hold("101001"), hold("101002")
    unit = Person(client, session("payment.read", divisions=["450100"], agencies=["101001"], actor="unit"))
    assert unit.get(f"{API}/held/{own}").status_code == 200
    assert unit.get(f"{API}/held/{other}").status_code == 404
    assert unit.page(f"/payment/held/{other}").status_code == 404
    listed = unit.get(f"{API}/held", fiscal_year=2010, division="450100", state="held", limit=200).json()
    assert {one["agency_code"] for one in listed["items"]} == {"101001"}


def test_a_held_order_that_is_not_there(supervisor) -> None:
    answer = supervisor.get(f"{API}/held/999999999")
    assert (answer.status_code, "999999999" in answer.json()["detail"]) == (404, True)
    assert supervisor.post(f"{API}/held/999999999/release", {"reason": "无"}).status_code == 404
