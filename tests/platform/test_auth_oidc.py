"""Single sign-on with a real provider on loopback: who comes in, and everybody who does not."""

import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient
from jincai import settings
from jincai.auth import accounts, bounded, oidc, oidc_flow
from jincai.auth.principal import COOKIE
from jincai.errors import ConfigurationError

from tests.platform import oidc_provider
from tests.platform.auth_people import HTML, log_in, person
from tests.platform.oidc_provider import CLIENT, CURVE, OTHER, SECRET, SMALL, Claims, Provider, signed
from tests.platform.test_auth_commands import jincai

INDICATORS = "/api/v1/budget/indicators?fiscal_year=2016&division=450100"
CALLBACK = "/login/oidc/callback"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with oidc_provider.running() as provider:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.reset()
    running.seconds = 0.0
    return running


@pytest.fixture
def browser(serving, database, provider: Provider) -> Iterator[TestClient]:
    """The application with single sign-on, freshly started, as a browser."""
    given = {
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "public_url": "http://testserver",
    }
    with serving(database.app, auth_database_url=database.auth, **given) as client:
        client.headers["Accept"] = "text/html"
        client.follow_redirects = False
        yield client


@pytest.fixture(scope="module", autouse=True)
def _people(database) -> None:
    with psycopg.connect(database.auth) as cx:
        for login, subject in (("wang.li", "w-1001"), ("lost", "w-1002"), ("both", "w-1003")):
            person(database.auth, login)
            accounts.link(cx, login, subject, by="test")
        accounts.switch(cx, "lost", active=False, by="test")
        cx.execute(
            """
            INSERT INTO auth.role_grant (account_id, role, division, granted_by)
            SELECT id, 'budget_checker', '450100', 'by hand' FROM auth.account WHERE login = 'both'
            """
        )


def leave(browser: TestClient, target: str = "/budget/indicators") -> str:
    """Where the browser is sent by the log-in page's link."""
    answer = browser.get("/login/oidc", params={"next": target})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def back(address: str) -> str:
    """Where the provider sends the browser."""
    return httpx.get(address).headers["location"]


def refused(browser: TestClient, address: str, status: int, said: str) -> None:
    answer = browser.get(address)
    assert answer.status_code == status, answer.text
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert COOKIE not in browser.cookies
    assert oidc_flow.COOKIE not in browser.cookies
    assert browser.get(INDICATORS).status_code == 401


def sessions(database) -> int:
    with psycopg.connect(database.auth) as cx:
        row = cx.execute("SELECT count(*) FROM auth.session WHERE account_id IS NOT NULL").fetchone()
    return row[0] if row else 0


@pytest.mark.parametrize("basic", [True, False])
def test_somebody_comes_in(browser: TestClient, provider: Provider, database, basic: bool) -> None:
    provider.basic = basic
    assert "/login/oidc?next=%2Fbudget%2Findicators" in browser.get("/login?next=/budget/indicators").text
    address = leave(browser)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert len(asked["code_challenge"]) == len(asked["state"]) == len(asked["nonce"]) == 43
    assert len({asked["code_challenge"], asked["state"], asked["nonce"]}) == 3
    assert asked["redirect_uri"] == "http://testserver/login/oidc/callback"

    came = browser.get(back(address))
    assert came.status_code == 200, came.text
    assert '<meta http-equiv="refresh" content="0; url=/budget/indicators">' in came.text
    assert came.headers["cache-control"] == "no-store"
    assert browser.get(INDICATORS).status_code == 200
    assert "wang.li" in browser.get("/budget/indicators").text
    with psycopg.connect(database.auth) as cx:
        row = cx.execute(
            "SELECT actor, kind, detail->>'by' FROM auth.change ORDER BY id DESC LIMIT 1"
        ).fetchone()
    assert row == ("wang.li", "login", "oidc")


def test_the_cookies_are_for_us_alone(browser: TestClient) -> None:
    left = browser.get("/login/oidc")
    kept = set(left.headers["set-cookie"].split("; "))
    assert {"HttpOnly", "SameSite=lax", "Path=/login/oidc", "Max-Age=600"} <= kept
    assert "Secure" not in kept
    came = browser.get(back(left.headers["location"]))
    session, gone = came.headers.get_list("set-cookie")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(session.split("; "))
    assert {"HttpOnly", "SameSite=lax", "Path=/login/oidc", "Max-Age=0"} <= set(gone.split("; "))
    secure = TestClient(browser.app, base_url="https://testserver", follow_redirects=False)
    assert "Secure" in secure.get("/login/oidc", headers=HTML).headers["set-cookie"].split("; ")


def test_the_cookie_gives_nothing_away(browser: TestClient) -> None:
    asked = parse_qs(urlsplit(leave(browser)).query)
    cookie = browser.cookies[oidc_flow.COOKIE]
    assert asked["state"][0] not in cookie
    assert asked["nonce"][0] not in cookie
    assert SECRET not in cookie


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "/" + "a" * 2000]
)
def test_nobody_is_led_elsewhere(browser: TestClient, elsewhere: str) -> None:
    came = browser.get(back(leave(browser, elsewhere)))
    assert 'content="0; url=/">' in came.text


def test_a_wrong_state_is_refused(browser: TestClient, database) -> None:
    before = sessions(database)
    address = back(leave(browser))
    state = parse_qs(urlsplit(address).query)["state"][0]
    refused(browser, address.replace(state, "A" * 43), 400, "不是从本页开始的")
    refused(browser, back(leave(browser)).partition("&state")[0], 400, "不是从本页开始的")
    theirs = back(leave(browser))
    leave(browser)
    refused(browser, theirs, 400, "不是从本页开始的")
    browser.cookies.clear()
    refused(browser, theirs, 400, "不是从本页开始的")
    assert sessions(database) == before


@pytest.mark.parametrize(
    "change", [lambda text: text[1:], lambda text: text + "A", lambda _: "", lambda _: "."]
)
def test_a_changed_cookie_is_refused(browser: TestClient, change: Callable[[str], str]) -> None:
    address = back(leave(browser))
    changed = change(browser.cookies[oidc_flow.COOKIE])
    browser.cookies.clear()
    answer = browser.get(address, headers={"Cookie": f"{oidc_flow.COOKIE}={changed}"})
    assert answer.status_code == 400


def test_a_log_in_under_way_ends(browser: TestClient, monkeypatch) -> None:
    address = back(leave(browser))
    later = time.time() + oidc_flow.SECONDS + 1
    monkeypatch.setattr(oidc_flow.time, "time", lambda: later)
    refused(browser, address, 400, "超过 10 分钟")


def test_a_code_is_good_once(browser: TestClient) -> None:
    address = back(leave(browser))
    cookie = browser.cookies[oidc_flow.COOKIE]
    assert browser.get(address).status_code == 200
    browser.cookies.clear()
    refused(browser, address, 400, "不是从本页开始的")
    browser.cookies.set(oidc_flow.COOKIE, cookie, domain="testserver.local", path="/login/oidc")
    refused(browser, address, 401, "没有确认您的身份")


def test_a_code_of_another_browser_is_refused(browser: TestClient) -> None:
    theirs = parse_qs(urlsplit(back(leave(browser))).query)["code"][0]
    ours = parse_qs(urlsplit(leave(browser)).query)["state"][0]
    refused(browser, f"{CALLBACK}?code={theirs}&state={ours}", 401, "没有确认您的身份")


def changed(**claims: object) -> Callable[[Claims], Claims]:
    return lambda found: {name: value for name, value in {**found, **claims}.items() if value is not None}


@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(changed(nonce="another"), id="nonce"),
        pytest.param(changed(nonce=None), id="no nonce"),
        pytest.param(changed(nonce=7), id="nonce that is a number"),
        pytest.param(changed(aud="another"), id="audience"),
        pytest.param(changed(aud=None), id="no audience"),
        pytest.param(changed(aud=[CLIENT, "another"]), id="two audiences"),
        pytest.param(changed(azp="another"), id="authorised party"),
        pytest.param(changed(iss="http://127.0.0.1:1"), id="issuer"),
        pytest.param(changed(iss=None), id="no issuer"),
        pytest.param(changed(exp=int(time.time()) - 120), id="expired"),
        pytest.param(changed(exp=None), id="no expiry"),
        pytest.param(changed(iat=int(time.time()) + 3600), id="from the future"),
        pytest.param(changed(iat=None), id="no time"),
        pytest.param(changed(sub=None), id="no subject"),
        pytest.param(changed(sub=""), id="empty subject"),
        pytest.param(changed(sub="a\x00b"), id="odd subject"),
        pytest.param(changed(sub=["w-1001"]), id="several subjects"),
    ],
)
def test_a_wrong_claim_is_refused(browser: TestClient, provider: Provider, alter) -> None:
    provider.alter = alter
    refused(browser, back(leave(browser)), 401, "没有确认您的身份")


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(oidc_provider.without_signature, id="none"),
        pytest.param(oidc_provider.by_public_key, id="HS256 with the public key"),
        pytest.param(lambda claims: signed(claims, OTHER), id="another's key"),
        pytest.param(lambda claims: signed(claims, kid="unknown"), id="unknown key"),
        pytest.param(lambda claims: signed(claims, kid="two"), id="the other key's name"),
        pytest.param(lambda claims: signed(claims, SMALL, kid="small"), id="small key"),
        pytest.param(lambda claims: signed(claims, algorithm="RS512"), id="RS512"),
        pytest.param(lambda claims: signed(claims)[:-8] + "AAAAAAAA", id="broken signature"),
        pytest.param(lambda _: "no.token", id="no token"),
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: 7, id="number"),
    ],
)
def test_a_wrong_signature_is_refused(browser: TestClient, provider: Provider, sign) -> None:
    provider.sign = sign
    refused(browser, back(leave(browser)), 401, "没有确认您的身份")


def test_a_curve_signs_as_well(browser: TestClient, provider: Provider) -> None:
    provider.sign = lambda claims: signed(claims, CURVE, "ES256", "two")
    assert browser.get(back(leave(browser))).status_code == 200


def test_a_new_key_is_looked_for_but_not_all_the_time(
    browser: TestClient, provider: Provider, monkeypatch
) -> None:
    assert browser.get(back(leave(browser))).status_code == 200
    browser.cookies.clear()
    provider.sign = lambda claims: signed(claims, OTHER, kid="new")
    provider.keys = [oidc_provider._jwk(OTHER, "new")]
    asked = provider.asked.count("/keys")
    refused(browser, back(leave(browser)), 401, "没有确认您的身份")
    assert provider.asked.count("/keys") == asked
    monkeypatch.setattr("jincai.auth.oidc_provider.KEYS_PAUSE_SECONDS", 0)
    assert browser.get(back(leave(browser))).status_code == 200
    assert provider.asked.count("/keys") == asked + 1


def test_an_unknown_subject_is_refused_and_nothing_is_made(
    browser: TestClient, provider: Provider, database
) -> None:
    def rows() -> object:
        with psycopg.connect(database.auth) as cx:
            return cx.execute(
                "SELECT (SELECT count(*) FROM auth.account),"
                "       (SELECT count(*) FROM auth.session WHERE account_id IS NOT NULL)"
            ).fetchone()

    before = rows()
    provider.person = "stranger-7"
    refused(browser, back(leave(browser)), 403, "请联系安全管理员登记。身份标识:stranger-7")
    assert rows() == before


@pytest.mark.parametrize(("subject", "said"), [("w-1002", "已锁定或停用"), ("w-1003", "角色互相冲突")])
def test_who_may_not_come_in_does_not(
    browser: TestClient, provider: Provider, subject: str, said: str
) -> None:
    provider.person = subject
    refused(browser, back(leave(browser)), 403, said)


def test_failures_with_the_password_shut_out_here_as_well(
    browser: TestClient, provider: Provider, database
) -> None:
    with psycopg.connect(database.auth) as cx:
        accounts.link(cx, person(database.auth, "shut"), "w-1004", by="test")
        cx.execute("UPDATE auth.account SET locked_until = now() + interval '1 minute' WHERE login = 'shut'")
    provider.person = "w-1004"
    refused(browser, back(leave(browser)), 403, "已锁定或停用")


@pytest.mark.parametrize(
    "query", ["error=access_denied", "code=", f"code={'a' * 5000}", "code=x&iss=https://evil.example"]
)
def test_an_answer_without_a_code_is_refused(browser: TestClient, query: str) -> None:
    state = parse_qs(urlsplit(leave(browser)).query)["state"][0]
    refused(browser, f"{CALLBACK}?{query}&state={state}", 401, "没有确认您的身份")


@pytest.mark.parametrize(
    "answer",
    [(500, b"{}"), (302, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b" " * 300_000), (200, b"{}")],
)
def test_a_provider_that_is_down_is_said_to_be(
    browser: TestClient, provider: Provider, database, answer: tuple[int, bytes]
) -> None:
    provider.answer = answer
    refused(browser, "/login/oidc", 503, "单点登录服务暂时没有应答")
    provider.reset()
    address = back(leave(browser))
    provider.answer = answer
    if answer != (200, b"{}"):  # to the question for a token that is an answer: none
        refused(browser, address, 503, "单点登录服务暂时没有应答")
    login = f"p{len(answer[1])}-{answer[0]}-{answer[1][:1].hex() or 0}"
    person(database.auth, login)
    assert log_in(browser, login).status_code == 303


def test_a_provider_that_hangs_holds_nobody_up(browser: TestClient, provider: Provider, monkeypatch) -> None:
    # Far apart, so that a busy machine does not matter: had the provider been waited for, it would show.
    provider.seconds = 30
    monkeypatch.setattr(bounded, "SECONDS", 0.5)
    monkeypatch.setattr(oidc, "WAIT_SECONDS", 60.0)
    began = time.monotonic()
    refused(browser, "/login/oidc", 503, "单点登录服务暂时没有应答")
    assert time.monotonic() - began < 15


def test_a_provider_that_is_not_there(serving, database) -> None:
    given = {"oidc_issuer": "http://127.0.0.1:1", "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    with serving(
        database.app, auth_database_url=database.auth, public_url="http://testserver", **given
    ) as client:
        assert client.get("/login/oidc", headers=HTML).status_code == 503
        assert client.get("/login/oidc").json()["status"] == 503


def test_another_provider_is_not_ours(browser: TestClient, provider: Provider, monkeypatch) -> None:
    for name, other in (
        ("issuer", "http://127.0.0.1:1"),
        ("token_endpoint", "file:///etc/passwd"),
        ("jwks_uri", "http://evil.example/"),
    ):
        told = provider.discovery() | {name: other}
        monkeypatch.setattr(provider, "discovery", lambda told=told: told)
        refused(browser, "/login/oidc", 503, "单点登录服务暂时没有应答")
        monkeypatch.undo()


def test_without_a_provider_there_is_nothing_of_it(client: TestClient) -> None:
    assert "单点登录" not in client.get("/login").text
    assert client.get("/login/oidc").status_code == 404
    assert client.get(CALLBACK).status_code == 404


WHOLE = {
    "JINCAI_OIDC_ISSUER": "https://sso.example",
    "JINCAI_OIDC_CLIENT_ID": CLIENT,
    "JINCAI_OIDC_CLIENT_SECRET": SECRET,
    "JINCAI_PUBLIC_URL": "https://jincai.example",
}


def test_the_settings_are_whole_and_keep_the_secret() -> None:
    assert SECRET not in repr(settings.from_environment(WHOLE))
    for name in WHOLE:
        with pytest.raises(ConfigurationError, match=f"single sign-on also needs {name}"):
            settings.from_environment({key: value for key, value in WHOLE.items() if key != name})
    settings.from_environment({"JINCAI_PUBLIC_URL": "https://jincai.example"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JINCAI_OIDC_ISSUER", "http://sso.example"),
        ("JINCAI_OIDC_ISSUER", "file:///etc"),
        ("JINCAI_OIDC_ISSUER", "https://[x"),
        ("JINCAI_OIDC_CLIENT_SECRET", "short"),
        ("JINCAI_PUBLIC_URL", "jincai.example"),
        ("JINCAI_PUBLIC_URL", "https://jincai.example/path"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as wrong:
        settings.from_environment(WHOLE | {name: value})
    assert "short" not in str(wrong.value)


def test_the_subject_is_set_at_the_command_line(database) -> None:
    person(database.auth, "by.hand")
    assert jincai(database.auth, "account", "oidc", "by.hand", "w-2000").returncode == 0
    again = jincai(database.auth, "account", "oidc", "wang.li", "w-2000")
    assert (again.returncode, "another account has the subject" in again.stderr) == (2, True)
    for arguments in (("nobody", "w-9"), ("by.hand",), ("by.hand", "w-9", "--remove"), ("by.hand", "a b")):
        assert jincai(database.auth, "account", "oidc", *arguments).returncode == 2
    assert jincai(database.auth, "account", "oidc", "by.hand", "--remove", "--why", "调离").returncode == 0
    with psycopg.connect(database.auth) as cx:
        told = cx.execute(
            "SELECT kind, why, detail FROM auth.change WHERE account = 'by.hand' ORDER BY id"
        ).fetchall()
    assert told[1:] == [
        ("subject_set", "", {"subject": "w-2000"}),
        ("subject_set", "调离", {"subject": None}),
    ]
