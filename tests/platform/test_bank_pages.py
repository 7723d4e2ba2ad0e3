"""Pages of the bank's side, as a browser without JavaScript uses them."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.platform.banking import Bank, Desk, desk_of, failed, paid

BOOKS = {"fiscal_year": 2010, "division": "450100"}
DAY = {**BOOKS, "day": "2010-03-06"}


@pytest.fixture
def desk(database, client: TestClient, session) -> Iterator[Desk]:
    with desk_of(database.app, database.owner, client, session) as desk:
        yield desk


@pytest.fixture
def bank(desk: Desk) -> Bank:
    return desk.bank()


@pytest.fixture
def people(desk) -> dict[str, dict[str, str]]:
    """A maker and a checker, by their headers."""
    made = {
        "maker": desk.opened("payment.read", "payment.review", divisions=("450100",), actor="zhang"),
        "checker": desk.opened("payment.read", "payment.post", divisions=("450100",), actor="li"),
        "bank": desk.opened("payment.bank", divisions=("450100",), actor="icbc"),
    }
    return {name: {"Authorization": f"Bearer {token}"} for name, token in made.items()}


def test_the_instructions_page_shows_what_waits_and_what_was_answered(desk, bank, client, people) -> None:
    (one,) = desk.pay(123_456)
    bank.pull()
    bank.tell(paid(one, 123_456, "BANKNO-1"))
    (two,) = desk.pay(70)
    page = client.get("/payment/bank", params=BOOKS, headers=people["maker"])
    assert page.status_code == 200
    for text in ("1,234.56", "BANKNO-1", "已支付", "待发送"):
        assert text in page.text
    waiting = client.get("/payment/bank", params=BOOKS | {"state": "waiting"}, headers=people["maker"])
    assert f">{two}" in waiting.text
    assert "BANKNO-1" not in waiting.text
    assert "450100" in client.get("/payment/bank", headers=people["maker"]).text
    assert client.get("/payment/bank", headers=people["bank"]).status_code == 403
    bank.pull()
    bank.tell(failed(two))


def test_a_discrepancy_is_settled_by_a_person(desk, bank, client, people) -> None:
    (one,) = desk.pay(500)
    bank.pull()
    bank.tell(paid(one, 499))
    listed = client.get("/api/v1/payment/bank/discrepancies", params=BOOKS, headers=people["maker"]).json()
    number = listed["items"][0]["id"]
    assert (listed["items"][0]["problem"], listed["items"][0]["known_state"]) == ("amount", "sent")
    page = client.get("/payment/bank/discrepancies", params=BOOKS, headers=people["maker"])
    path = f"/payment/bank/discrepancies/{number}"
    assert f'href="{path}"' in page.text
    assert "金额不符" in client.get(path, headers=people["maker"]).text
    assert "<textarea" not in client.get(path, headers=people["checker"]).text
    blank = client.post(path, data={"note": ""}, headers=people["maker"])
    assert (blank.status_code, 'id="error-note"' in blank.text) == (422, True)
    assert client.post(path, data={"note": "已核对"}, headers=people["checker"]).status_code == 403
    for _ in range(2):
        done = client.post(
            path, data={"note": "银行误报,已核对"}, headers=people["maker"], follow_redirects=False
        )
        assert (done.status_code, done.headers["location"]) == (303, path)
    assert "银行误报,已核对" in client.get(path, headers=people["maker"]).text
    other = client.post(
        f"/api/v1{path}/settle",
        json={"note": "another"},
        headers=people["maker"] | {"Accept-Language": "en"},
    )
    assert (other.status_code, "was settled by zhang" in other.json()["detail"]) == (409, True)
    assert client.get(f"{path}0000", headers=people["maker"]).status_code == 404
    bank.tell(paid(one, 500))


def test_a_day_is_cleared_on_the_page(desk, bank, client, people) -> None:
    made = desk.pay(1_000, 2_000)
    bank.pull()
    bank.tell(*(paid(one, amount) for one, amount in zip(made, (1_000, 2_000), strict=True)))
    assert client.get("/payment/clearing", headers=people["maker"]).status_code == 200
    page = client.get("/payment/clearing", params=DAY, headers=people["maker"])
    assert "已支付未清算" in page.text
    assert "编制清算单" in page.text

    form = {**BOOKS, "clearing_date": "2010-03-06", "pay_type": "direct"}
    drawn = client.post("/payment/clearing", data=form, headers=people["maker"], follow_redirects=False)
    assert drawn.status_code == 303
    page = client.get(drawn.headers["location"], headers=people["maker"])
    assert "待确认" in page.text
    assert "确认记账" not in page.text
    number = client.get("/api/v1/payment/clearings", params=BOOKS, headers=people["maker"]).json()
    path = f"/payment/clearing/{number['items'][0]['id']}"
    assert (
        f'action="{path}/confirm"'
        in client.get("/payment/clearing", params=DAY, headers=people["checker"]).text
    )
    assert client.post(f"{path}/confirm", data=DAY, headers=people["maker"]).status_code == 403
    done = client.post(f"{path}/confirm", data=DAY, headers=people["checker"], follow_redirects=False)
    assert done.status_code == 303
    assert "全部零余额账户日终为零" in client.get(done.headers["location"], headers=people["checker"]).text

    again = client.post("/payment/clearing", data=form, headers=people["maker"])
    assert (again.status_code, "没有待清算" in again.text) == (422, True)
    late = client.post(f"{path}/withdraw", data=DAY, headers=people["maker"])
    assert (late.status_code, "已记账" in late.text) == (422, True)
    wrong = client.post("/payment/clearing", data=form | {"clearing_date": "x"}, headers=people["maker"])
    assert (wrong.status_code, "clearing_date" in wrong.text) == (422, True)
    english = client.get("/payment/clearing", params=DAY | {"lang": "en"}, headers=people["checker"])
    assert "Every zero-balance account is zero." in english.text
    client.get("/", params={"lang": "zh"})
