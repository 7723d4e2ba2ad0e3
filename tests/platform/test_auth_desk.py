"""The account desk: who changes accounts, who reads the trail, and that nobody changes it."""

from collections.abc import Iterator

import psycopg
import pytest
from fastapi.testclient import TestClient
from jincai.auth import roles
from jincai.auth.principal import COOKIE

from tests.platform.auth_people import HTML, PASSWORD, log_in, person
from tests.platform.test_auth_commands import jincai

ACCOUNTS = "/api/v1/auth/accounts"
AUDIT = "/api/v1/audit"
NEW = {
    "login": "wang.li",
    "name": "王丽",
    "roles": ["budget_maker"],
    "divisions": ["450100"],
    "why": "新任科员",
}


@pytest.fixture(autouse=True)
def _nobody(client: TestClient) -> Iterator[None]:
    client.cookies.clear()
    yield
    client.cookies.clear()


@pytest.fixture
def desk(session) -> dict[str, str]:
    """Headers of a security administrator."""
    return {"Authorization": f"Bearer {session('auth.manage', actor='sec')}"}


@pytest.fixture
def auditor(session) -> dict[str, str]:
    """Headers of an audit administrator."""
    return {"Authorization": f"Bearer {session('audit.read', actor='aud')}"}


def trail(client: TestClient, auditor: dict[str, str], **asked: object) -> list[dict]:
    answer = client.get(AUDIT, params=asked, headers=auditor)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_an_account_from_first_to_last(client: TestClient, desk, auditor) -> None:
    made = client.post(ACCOUNTS, json=NEW, headers=desk)
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    once = made.json()["one_time_password"]

    led = log_in(client, "wang.li", once)
    assert led.status_code == 303
    assert led.headers["location"].startswith("/login/password")
    assert COOKIE not in client.cookies
    fields = {"login": "wang.li", "password": once, "new": PASSWORD, "again": PASSWORD}
    changed = client.post("/login/password", data=fields, headers=HTML, follow_redirects=False)
    assert changed.status_code == 303, changed.text
    assert COOKIE in client.cookies
    assert log_in(client, "wang.li", once).status_code == 401
    assert log_in(client, "wang.li").status_code == 303
    client.cookies.clear()

    assert client.post(f"{ACCOUNTS}/wang.li/lock", json={"why": "调离"}, headers=desk).status_code == 204
    assert log_in(client, "wang.li").status_code == 401
    row = client.get(f"{ACCOUNTS}/wang.li", headers=desk).json()
    assert (row["state"], row["roles"], row["divisions"]) == ("locked", ["budget_maker"], ["450100"])
    assert row["last_login"]
    assert client.post(f"{ACCOUNTS}/wang.li/unlock", json={"why": "调回"}, headers=desk).status_code == 204
    assert client.post(f"{ACCOUNTS}/wang.li/password", json={"why": "遗忘"}, headers=desk).status_code == 200
    assert log_in(client, "wang.li").status_code == 401
    told = [(one["kind"], one["actor"], one["why"]) for one in trail(client, auditor, account="wang.li")]
    assert told[::-1] == [
        ("account_added", "sec", "新任科员"),
        ("password_changed", "wang.li", ""),
        ("login", "wang.li", ""),
        ("failed", "wang.li", ""),
        ("login", "wang.li", ""),
        ("account_locked", "sec", "调离"),
        ("account_unlocked", "sec", "调回"),
        ("password_set", "sec", "遗忘"),
        ("failed", "wang.li", ""),
    ]


def test_a_one_time_password_ends(client: TestClient, desk, database) -> None:
    once = client.post(ACCOUNTS, json=NEW | {"login": "late"}, headers=desk).json()["one_time_password"]
    with psycopg.connect(database.auth) as cx:
        cx.execute("UPDATE auth.account SET password_once_until = now() WHERE login = 'late'")
    assert log_in(client, "late", once).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"roles": ["budget_maker", "budget_checker"]}, 422, "不得由一人兼任"),
        ({"roles": ["security_admin", "audit_admin"]}, 422, "不得由一人兼任"),
        ({"roles": ["payment_unit"]}, 422, "必须指定单位"),
        ({"roles": ["emperor"]}, 422, "emperor"),
        ({"roles": []}, 422, ""),
        ({"divisions": []}, 422, ""),
        ({"divisions": ["999999"]}, 422, "没有区划 999999"),
        ({"login": "Wang Li"}, 422, ""),
        ({"login": "system"}, 422, "由平台自身使用"),
        ({"name": "a\u0000b"}, 422, ""),
        ({"why": "  "}, 422, ""),
        ({"unknown": 1}, 422, ""),
        (
            {"agencies": [str(n) for n in range(200)], "roles": ["reader"], "divisions": ["450100"] * 11},
            201,
            "",
        ),
    ],
)
def test_what_is_wrong_is_refused(client: TestClient, desk, changes, status: int, said: str) -> None:
    answer = client.post(ACCOUNTS, json=NEW | {"login": "li.na"} | changes, headers=desk)
    assert answer.status_code == status, answer.text
    assert said in answer.text
    made = client.get(f"{ACCOUNTS}/li.na", headers=desk).status_code
    assert made == (200 if status == 201 else 404)


def test_what_is_there_or_is_not(client: TestClient, desk, database) -> None:
    person(database.auth, "twice")
    assert client.post(ACCOUNTS, json=NEW | {"login": "twice"}, headers=desk).status_code == 409
    for what in ("lock", "unlock", "password"):
        answer = client.post(f"{ACCOUNTS}/nobody/{what}", json={"why": "试试"}, headers=desk)
        assert answer.status_code == 404
        assert "没有账户 nobody" in answer.json()["detail"]


def test_nobody_manages_their_own_account(client: TestClient, desk, database) -> None:
    person(database.auth, "sec", ["security_admin"])
    for what in ("lock", "password"):
        assert client.post(f"{ACCOUNTS}/sec/{what}", json={"why": "试试"}, headers=desk).status_code == 409


@pytest.mark.parametrize("role", [role for role in roles.ROLES if role != "security_admin"])
def test_only_the_security_administrator_sees_accounts(client: TestClient, session, role: str) -> None:
    headers = {"Authorization": f"Bearer {session(*roles.ROLES[role].permissions)}"}
    assert client.get(ACCOUNTS, headers=headers).status_code == 403
    assert client.get(f"{ACCOUNTS}/x1", headers=headers).status_code == 403
    assert client.post(ACCOUNTS, json=NEW, headers=headers).status_code == 403
    for what in ("lock", "unlock", "password"):
        assert client.post(f"{ACCOUNTS}/x1/{what}", json={"why": "试试"}, headers=headers).status_code == 403
    assert client.get("/accounts", headers=headers).status_code == 403
    assert client.get("/accounts/new", headers=headers).status_code == 403
    assert client.post("/accounts/new", headers=headers).status_code == 403


@pytest.mark.parametrize("role", [role for role in roles.ROLES if role != "audit_admin"])
def test_only_the_audit_administrator_reads_the_trail(client: TestClient, session, role: str) -> None:
    headers = {"Authorization": f"Bearer {session(*roles.ROLES[role].permissions)}"}
    assert client.get(AUDIT, headers=headers).status_code == 403
    assert client.get("/audit", headers=headers).status_code == 403


def test_nobody_sees_either(client: TestClient) -> None:
    assert client.get(AUDIT).status_code == 401
    assert client.get(ACCOUNTS).status_code == 401
    assert client.get("/accounts", headers=HTML, follow_redirects=False).status_code == 303


@pytest.mark.parametrize("who", ["owner", "app", "auth"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE auth.change SET actor = 'x'", "DELETE FROM auth.change", "TRUNCATE auth.change"],
)
def test_nobody_edits_the_trail(database, who: str, statement: str) -> None:
    person(database.auth, f"p-{who}-{len(statement)}")
    with psycopg.connect(getattr(database, who)) as cx, pytest.raises(psycopg.Error) as refused:
        cx.execute(statement)
    assert refused.value.sqlstate == ("JC002" if who == "owner" else "42501")


def test_the_application_cannot_read_or_write_the_trail(database) -> None:
    for statement in (
        "SELECT FROM auth.change",
        "INSERT INTO auth.change (actor, kind) VALUES ('x', 'login')",
    ):
        with psycopg.connect(database.app) as cx, pytest.raises(psycopg.errors.InsufficientPrivilege):
            cx.execute(statement)


def test_an_entry_cannot_be_dated_back(database) -> None:
    with psycopg.connect(database.auth) as cx:
        row = cx.execute(
            "INSERT INTO auth.change (actor, kind, at, written_by) VALUES ('x', 'login', '2001-01-01', 'y') "
            "RETURNING at > now() - interval '1 minute', written_by"
        ).fetchone()
        cx.rollback()
    assert row == (True, "jincai_auth")


def test_failures_and_the_lock_out_are_told(client: TestClient, database, auditor) -> None:
    person(database.auth, "emma")
    for _ in range(7):
        assert log_in(client, "emma", "wrong-password-of-12").status_code == 401
    client.cookies.clear()
    told = [one["kind"] for one in trail(client, auditor, actor="emma")]
    assert told == ["shut_out", *["failed"] * 5]


def test_names_that_nobody_has_cannot_fill_the_trail(client: TestClient, auditor) -> None:
    for number in range(4):
        assert log_in(client, f"nobody-{number}").status_code == 401
    told = trail(client, auditor, kind="unknown")
    assert len(told) == 1
    assert "nobody-" not in str(told)


def test_the_trail_is_read_in_parts_and_by_period(client: TestClient, desk, auditor) -> None:
    for number in range(5):
        assert client.post(ACCOUNTS, json=NEW | {"login": f"part-{number}"}, headers=desk).status_code == 201
    found: list[int] = []
    asked: dict[str, object] = {"actor": "sec", "kind": "account_added", "limit": 2}
    while True:
        page = client.get(AUDIT, params=asked, headers=auditor).json()
        found += [one["id"] for one in page["items"]]
        if page["before"] is None:
            break
        asked["before"] = page["before"]
    assert found == sorted(set(found), reverse=True)
    assert len(found) >= 5
    assert trail(client, auditor, to_date="2001-01-01") == []
    assert trail(client, auditor, from_date="2001-01-01", to_date="9998-12-31")
    assert trail(client, auditor, from_date="9998-12-31") == []
    for wrong in ({"kind": "x"}, {"from_date": "x"}, {"limit": 201}, {"who": "x"}, {"actor": "a\x00"}):
        assert client.get(AUDIT, params=wrong, headers=auditor).status_code == 422


def test_the_command_line_is_told_as_well(client: TestClient, database, auditor) -> None:
    add = ("account", "add", "by.hand", "--name", "x", "--role", "reader", "--why", "新任")
    key = ("key", "add", "by.hand", "--permission", "budget.read", "--days", "1")
    commands = [add, ("account", "lock", "by.hand"), ("account", "unlock", "by.hand", "--why", "调回"), key]
    for command in (*commands, ("account", "password", "by.hand"), ("key", "revoke", "by.hand")):
        assert jincai(database.auth, *command, typed=PASSWORD).returncode == 0, command
    assert log_in(client, "by.hand").status_code == 303
    assert client.post("/logout", headers={"Origin": "http://testserver"}).status_code == 200
    told = trail(client, auditor, account="by.hand")[::-1]
    assert [(one["kind"], one["why"]) for one in told] == [
        ("account_added", "新任"),
        ("account_locked", ""),
        ("account_unlocked", "调回"),
        ("key_added", ""),
        ("password_set", ""),
        ("key_revoked", ""),
        ("login", ""),
        ("logout", ""),
    ]
    assert all(one["actor"].endswith(" at the command line") for one in told[:6])
    assert PASSWORD not in str(told)
    assert "argon2" not in str(told)
