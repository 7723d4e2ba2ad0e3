"""The pages of the account desk and of the audit trail, as a browser uses them."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.platform.auth_people import HTML, PASSWORD, log_in, person

OURS = HTML | {"Origin": "http://testserver"}
NEW = {
    "login": "wang.li",
    "name": "王丽",
    "roles": ["budget_maker", "payment_maker"],
    "divisions": "450100、450200",
    "agencies": "",
    "why": "新任科员",
}


@pytest.fixture
def browser(client: TestClient, database) -> Iterator[TestClient]:
    """The application as a browser that a security administrator is logged in with."""
    if log_in(client, "sec").status_code != 303:
        person(database.auth, "sec", ["security_admin"])
        assert log_in(client, "sec").status_code == 303
    yield client
    client.cookies.clear()


def post(client: TestClient, path: str, fields: dict) -> tuple[int, str]:
    answer = client.post(path, data=fields, headers=OURS, follow_redirects=False)
    return answer.status_code, answer.text


def test_an_account_is_made_and_comes_in(browser: TestClient) -> None:
    assert 'href="/accounts"' in browser.get("/").text
    assert 'href="/audit"' not in browser.get("/").text
    assert "/accounts/new" in browser.get("/accounts").text
    assert browser.get("/accounts/new").status_code == 200
    status, text = post(browser, "/accounts/new", NEW)
    assert status == 200, text
    once = re.search(r"<code>([a-z0-9-]{19})</code>", text)
    assert once
    listed = browser.get("/accounts", params={"q": "王"}).text
    assert "预算编制" in listed
    assert "450200" in listed
    assert once[1] not in listed

    led = log_in(browser, "wang.li", once[1], next="/budget/indicators")
    page = browser.get(led.headers["location"])
    assert 'value="wang.li"' in page.text
    fields = {"login": "wang.li", "password": once[1], "new": PASSWORD, "again": PASSWORD}
    came = browser.post(led.headers["location"], data=fields, headers=OURS, follow_redirects=False)
    assert (came.status_code, came.headers["location"]) == (303, "/budget/indicators")
    assert browser.get("/accounts").status_code == 403


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"roles": ["budget_maker", "budget_checker"]},
            "预算审批(budget_checker)与预算编制(budget_maker)不相容",
        ),
        ({"roles": []}, 'id="error-roles"'),
        ({"divisions": ""}, 'id="error-divisions"'),
        ({"divisions": "450100 45"}, 'id="error-divisions"'),
        ({"roles": ["budget_unit"]}, 'id="error-agencies"'),
        ({"login": "sec"}, "已有账户 sec"),
        ({"why": ""}, 'id="error-why"'),
    ],
)
def test_a_mistake_is_shown_beside_its_field(browser: TestClient, changes: dict, said: str) -> None:
    status, text = post(browser, "/accounts/new", NEW | {"login": "li.na"} | changes)
    assert status == 422
    assert said in text
    assert "新任科员" in text or "why" in changes
    assert browser.get("/accounts/li.na").status_code == 404


def test_every_division_takes_a_tick(browser: TestClient) -> None:
    fields = NEW | {"login": "all.over", "divisions": "", "everywhere": "yes"}
    assert post(browser, "/accounts/new", fields)[0] == 200
    assert "全部" in browser.get("/accounts/all.over").text


def test_an_account_is_locked_and_unlocked(browser: TestClient, database) -> None:
    person(database.auth, "greta")
    for action, state in (("lock", "已锁定"), ("unlock", "正常")):
        assert post(browser, "/accounts/greta", {"action": action, "why": "试一试"})[0] == 303
        assert state in browser.get("/accounts/greta").text
    status, text = post(browser, "/accounts/greta", {"action": "password", "why": "遗忘"})
    assert (status, "一次性口令" in text) == (200, True)
    assert post(browser, "/accounts/greta", {"action": "subject", "subject": "g-1", "why": "接入"})[0] == 303
    assert "g-1" in browser.get("/accounts/greta").text
    assert post(browser, "/accounts/greta", {"action": "lock", "why": ""})[0] == 422
    assert post(browser, "/accounts/greta", {"action": "burn", "why": "试一试"})[0] == 422
    assert "不能变更自己的账户" in post(browser, "/accounts/sec", {"action": "lock", "why": "试一试"})[1]
    assert post(browser, "/accounts/nobody", {"action": "lock", "why": "试一试"})[0] == 404


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"again": "something-else-12"}, 422, "不一致"),
        ({"new": "short", "again": "short"}, 422, "12 至 200"),
        ({"new": PASSWORD, "again": PASSWORD}, 422, "不能与现密码相同"),
        ({"password": "wrong-password-of-12"}, 401, "用户名或密码不正确"),
    ],
)
def test_a_new_password_must_be_one(client: TestClient, database, changes, status: int, said: str) -> None:
    client.cookies.clear()
    login = person(database.auth, f"p{abs(hash(said)) % 10**8}")
    new = "another-password-1"
    fields = {"login": login, "password": PASSWORD, "new": new, "again": new} | changes
    answered = post(client, "/login/password", fields)
    assert (answered[0], said in answered[1]) == (status, True)
    assert log_in(client, login).status_code == 303
    client.cookies.clear()


def test_other_sites_cannot_change_a_password(client: TestClient) -> None:
    foreign = {"Origin": "https://evil.example"}
    assert client.post("/login/password", headers=foreign, data={}).status_code == 403


def test_the_trail_as_a_page(client: TestClient, database) -> None:
    person(database.auth, "aud", ["audit_admin"])
    log_in(client, "aud")
    page = client.get("/audit", params={"limit": 1, "from_date": "", "actor": ""})
    assert page.status_code == 200
    assert "审计日志" in page.text
    assert "登录" in page.text
    assert 'rel="next"' in page.text
    assert (
        client.get(re.findall(r'rel="next" href="([^"]+)"', page.text)[0].replace("&amp;", "&")).status_code
        == 200
    )
    assert 'href="/audit"' in client.get("/").text
    assert client.get("/audit", params={"lang": "en", "actor": "nobody-at-all"}).text.count("No entry") == 1
    client.cookies.clear()
