"""Logging in and out with a password: cookie, lock-out, redirects, other sites."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from fastapi.testclient import TestClient
from jincai.auth import accounts
from jincai.auth import login as logging_in
from jincai.auth.passwords import Passwords, TooManyTriesError
from jincai.auth.principal import COOKIE

from tests.platform.auth_people import HTML, PASSWORD, log_in, person

INDICATORS = "/api/v1/budget/indicators?fiscal_year=2016&division=450100"
OURS = {"Origin": "http://testserver"}


@pytest.fixture(autouse=True)
def _nobody(client: TestClient):
    client.cookies.clear()
    yield
    client.cookies.clear()


def test_a_session_is_opened_and_closed(client: TestClient, database) -> None:
    person(database.auth, "anna")
    answer = log_in(client, "anna")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get(INDICATORS).status_code == 200
    token = client.cookies[COOKIE]
    page = client.get("/budget/indicators")
    assert "anna" in page.text
    assert 'action="/logout"' in page.text
    assert page.headers["cache-control"] == "no-store"

    out = client.post("/logout", headers=OURS, follow_redirects=False)
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert COOKIE not in client.cookies
    client.cookies.set(COOKIE, token)
    assert client.get(INDICATORS).status_code == 401


def test_the_cookie_is_for_us_alone(client: TestClient, database) -> None:
    person(database.auth, "bella")
    cookie = log_in(client, "bella").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=28800"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    secure = TestClient(client.app, base_url="https://testserver")
    assert "Secure" in log_in(secure, "bella").headers["set-cookie"]


@pytest.mark.parametrize(
    ("login", "password"), [("carla", "wrong-password-of-12"), ("nobody", PASSWORD), ("", "")]
)
def test_wrong_is_wrong_and_says_the_same(client: TestClient, database, login: str, password: str) -> None:
    with psycopg.connect(database.auth) as cx:
        there = "carla" in {one.login for one in accounts.every(cx)}
    if not there:
        person(database.auth, "carla")
    answer = log_in(client, login, password)
    assert answer.status_code == 401
    assert COOKIE not in answer.cookies
    assert 'role="alert"' in answer.text
    assert "用户名或密码不正确,或账户已锁定" in answer.text
    assert password not in answer.text or not password
    told = client.post("/login", data={"login": login, "password": password})
    assert (told.status_code, told.headers["content-type"]) == (401, "application/problem+json")


def test_an_unknown_account_takes_as_long_as_a_known_one(client: TestClient, database) -> None:
    person(database.auth, "dora")

    def seconds(login: str) -> float:
        began = time.monotonic()
        assert log_in(client, login, "wrong-password-of-12").status_code == 401
        return time.monotonic() - began

    # The shortest of some: what else the machine does makes some longer.
    pairs = [(seconds("dora"), seconds("nobody-at-all")) for _ in range(4)]
    known, unknown = (min(column) for column in zip(*pairs, strict=True))
    assert min(known, unknown) >= 0.5
    assert abs(known - unknown) < 0.1


def test_five_failures_lock_for_fifteen_minutes(client: TestClient, database) -> None:
    person(database.auth, "emma")
    for _ in range(logging_in.FAILURES_MOST):
        assert log_in(client, "emma", "wrong-password-of-12").status_code == 401
    assert log_in(client, "emma").status_code == 401
    locked = (
        "SELECT round(extract(epoch FROM locked_until - now()) / 60) FROM auth.account WHERE login = 'emma'"
    )
    with psycopg.connect(database.auth) as cx:
        assert cx.execute(locked).fetchone() == (15,)
        cx.execute("UPDATE auth.account SET locked_until = now() - interval '1 second' WHERE login = 'emma'")
    assert log_in(client, "emma", "wrong-password-of-12").status_code == 401
    assert log_in(client, "emma").status_code == 303
    with psycopg.connect(database.auth) as cx:
        state = cx.execute("SELECT failed_attempts, locked_until FROM auth.account WHERE login = 'emma'")
        assert state.fetchone() == (0, None)


def test_many_at_once_are_five_tries_all_the_same(database, client: TestClient, monkeypatch) -> None:
    person(database.auth, "freda")
    tried = []
    passwords = client.app.state.passwords  # type: ignore[attr-defined]

    async def noting(_password: str, kept: str | None) -> bool:
        tried.append(kept)
        return False

    monkeypatch.setattr(passwords, "fits", noting)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: log_in(client, "freda", "guess-of-12-characters"), range(12)))
    assert {one.status_code for one in answers} == {401}
    assert len([kept for kept in tried if kept]) == logging_in.FAILURES_MOST


def test_no_more_tries_wait_than_can_be_served() -> None:
    async def crowd() -> list[object]:
        passwords = Passwords()
        tries = (passwords.fits("a", "$argon2id$nonsense") for _ in range(50))
        return await asyncio.gather(*tries, return_exceptions=True)

    found = asyncio.run(crowd())
    assert found.count(False) == 32
    assert len([one for one in found if isinstance(one, TooManyTriesError)]) == 18


def test_a_locked_account_is_out_at_once_and_in_again(client: TestClient, database) -> None:
    person(database.auth, "greta")
    log_in(client, "greta")
    token = client.cookies[COOKIE]
    with psycopg.connect(database.auth) as cx:
        accounts.switch(cx, "greta", active=False, by="test")
    client.app.state.remembered.forget(token)  # type: ignore[attr-defined]
    assert client.get(INDICATORS).status_code == 401
    assert log_in(client, "greta").status_code == 401
    with psycopg.connect(database.auth) as cx:
        accounts.switch(cx, "greta", active=True, by="test")
    assert log_in(client, "greta").status_code == 303


def test_a_session_ends(client: TestClient, session) -> None:
    token = session("budget.read", seconds=1)
    client.cookies.set(COOKIE, token)
    assert client.get(INDICATORS).status_code == 200
    time.sleep(1.1)
    assert client.get(INDICATORS).status_code == 401


def test_who_may_not_be_both_cannot_log_in(client: TestClient, database) -> None:
    person(database.auth, "hilda")
    with psycopg.connect(database.auth) as cx:
        cx.execute(
            """
            INSERT INTO auth.role_grant (account_id, role, division, granted_by)
            SELECT id, 'budget_checker', '450100', 'by hand' FROM auth.account WHERE login = 'hilda'
            """
        )
    answer = log_in(client, "hilda")
    assert (answer.status_code, COOKIE in answer.cookies) == (403, False)
    assert "角色互相冲突" in answer.text


def test_a_browser_is_led_to_the_log_in_and_back(client: TestClient, database) -> None:
    person(database.auth, "irene")
    asked = "/budget/indicators?fiscal_year=2016&division=450100"
    led = client.get(asked, headers=HTML, follow_redirects=False)
    assert led.status_code == 303
    assert led.headers["location"] == (
        "/login?next=%2Fbudget%2Findicators%3Ffiscal_year%3D2016%26division%3D450100"
    )
    page = client.get(led.headers["location"])
    assert "autofocus" in page.text
    assert 'name="password"' in page.text
    assert log_in(client, "irene", next=asked).headers["location"] == asked
    again = client.get("/login", params={"next": asked}, follow_redirects=False)
    assert again.headers["location"] == asked


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil",
    ],
)
def test_nobody_is_led_elsewhere(client: TestClient, database, elsewhere: str) -> None:
    with psycopg.connect(database.auth) as cx:
        there = "julia" in {one.login for one in accounts.every(cx)}
    if not there:
        person(database.auth, "julia")
    assert log_in(client, "julia", next=elsewhere).headers["location"] == "/"


def test_the_page_speaks_english(client: TestClient) -> None:
    assert "Log-in name" in client.get("/login?lang=en").text


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver:81"},
    {"Origin": "https://testserver"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:x"},
    {},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_sites_cannot_use_the_cookie(client: TestClient, session, headers: dict[str, str]) -> None:
    client.cookies.set(COOKIE, session("payment.post"))
    answer = client.post("/logout", headers=headers, follow_redirects=False)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert client.post("/api/v1/payment/orders", headers=headers, json={}).status_code == 403
    assert client.post("/api/v1/payment/orders", headers=OURS, json={}).status_code == 422


def test_other_sites_cannot_log_a_browser_in(client: TestClient) -> None:
    foreign = {"Origin": "https://evil.example"}
    assert client.post("/login", headers=foreign, data={"login": "x", "password": "y"}).status_code == 403


def test_a_bearer_token_needs_no_origin(client: TestClient, session) -> None:
    headers = {"Authorization": f"Bearer {session('payment.post')}"}
    assert client.post("/api/v1/payment/orders", headers=headers, json={}).status_code == 422


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"login=%ff&password=x", 400), (b"a" * 10_000, 413), (b"&".join([b"a=1"] * 20), 400)],
)
def test_a_form_is_bounded(client: TestClient, content: bytes, status: int) -> None:
    assert client.post("/login", content=content).status_code == status
