"""`jincai account` and `jincai key`, as people call them."""

import subprocess
import sys

import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.platform.auth_people import log_in

INDICATORS = "/api/v1/budget/indicators?fiscal_year=2016&division=450102"
PASSWORD = "zwölf-zeichen-und-mehr"


def jincai(url: str | None, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jincai", *arguments],
        env={"JINCAI_AUTH_DATABASE_URL": url} if url else {},
        input=typed,
        text=True,
        capture_output=True,
        check=False,
    )


def test_an_account_from_first_to_last(client: TestClient, database) -> None:
    add = ("account", "add", "wang.li", "--name", "王丽", "--role", "budget_maker", "--division", "450100")
    made = jincai(database.auth, *add, typed=PASSWORD + "\n")
    assert (made.returncode, made.stderr) == (0, "")
    assert log_in(client, "wang.li", PASSWORD).status_code == 303
    listed = jincai(database.auth, "account", "list").stdout
    assert "wang.li\t王丽\tactive\tbudget_maker 450100" in listed
    assert "argon2" not in listed

    assert jincai(database.auth, *add, typed=PASSWORD).returncode == 2
    assert jincai(database.auth, "account", "lock", "wang.li").returncode == 0
    assert log_in(client, "wang.li", PASSWORD).status_code == 401
    assert "locked" in jincai(database.auth, "account", "list").stdout
    assert jincai(database.auth, "account", "unlock", "wang.li").returncode == 0
    assert log_in(client, "wang.li", PASSWORD).status_code == 303
    assert jincai(database.auth, "account", "password", "wang.li", typed="another-password").returncode == 0
    assert log_in(client, "wang.li", PASSWORD).status_code == 401
    assert log_in(client, "wang.li", "another-password").status_code == 303
    client.cookies.clear()
    with psycopg.connect(database.auth) as cx:
        kept = cx.execute("SELECT password_hash FROM auth.account WHERE login = 'wang.li'").fetchone()
    assert kept
    assert kept[0].startswith("$argon2id$")


ADD = ("account", "add", "li.na", "--name", "李娜")


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        ((*ADD, "--role", "reader"), "short", "5 characters"),
        ((*ADD, "--role", "emperor"), PASSWORD, "no role emperor"),
        (
            ("account", "add", "system", "--name", "李娜", "--role", "reader"),
            PASSWORD,
            "platform itself acts",
        ),
        ((*ADD, "--role", "budget_maker", "--role", "budget_checker"), PASSWORD, "exclude each other"),
        ((*ADD, "--role", "security_admin", "--role", "audit_admin"), PASSWORD, "exclude each other"),
        ((*ADD, "--role", "budget_unit", "--division", "450100"), PASSWORD, "--agency"),
        ((*ADD, "--role", "reader", "--division", "南宁"), PASSWORD, "no division"),
        (("account", "add", "Li Na", "--name", "x", "--role", "reader"), PASSWORD, "no log-in name"),
        (("account", "lock", "nobody"), "", "no account nobody"),
        (("key", "add", "x", "--permission", "everything", "--days", "1"), "", "no permission everything"),
        (("key", "add", "x", "--permission", "budget.read", "--days", "0"), "", "--days"),
        (("key", "revoke", "nothing"), "", "no key nothing"),
    ],
)
def test_what_is_wrong_is_refused(database, arguments: tuple[str, ...], typed: str, said: str) -> None:
    done = jincai(database.auth, *arguments, typed=typed)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    with psycopg.connect(database.auth) as cx:
        assert cx.execute("SELECT FROM auth.account WHERE login = 'li.na'").fetchone() is None


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        (None, 2, "JINCAI_AUTH_DATABASE_URL"),
        ("postgresql://x:geheim@127.0.0.1:1/jincai", 3, "no database at"),
    ],
)
def test_it_needs_the_database(url: str | None, code: int, said: str) -> None:
    done = jincai(url, "account", "list")
    assert done.returncode == code
    assert said in done.stderr
    assert "geheim" not in done.stderr


def test_the_applications_role_cannot(database) -> None:
    done = jincai(database.app, "account", "list")
    assert done.returncode == 4
    assert "permission denied" in done.stderr


def test_a_key_opens_its_session_by_itself(client: TestClient, database) -> None:
    add = ("key", "add", "某行接口", "--permission", "budget.read", "--division", "450100", "--days", "30")
    made = jincai(database.auth, *add)
    key = made.stdout.strip()
    assert (made.returncode, len(key)) == (0, 50)
    bearer = {"Authorization": f"Bearer {key}"}
    assert client.get(INDICATORS, headers=bearer).status_code == 200
    assert client.get("/budget/indicators", headers=bearer).status_code == 200
    assert client.get("/ledger/vouchers", headers=bearer).status_code == 403
    client.app.state.remembered.forget(key)  # type: ignore[attr-defined]
    assert client.get(INDICATORS, headers=bearer).status_code == 200
    with psycopg.connect(database.auth) as cx:
        rows = cx.execute(
            "SELECT actor, divisions @> '{450100,450102}' FROM auth.session WHERE api_key_id IS NOT NULL"
        ).fetchall()
        assert rows == [("某行接口", True)]
        # About to end: prolonged, and still one row.
        cx.execute(
            "UPDATE auth.session SET expires_at = now() + interval '30 seconds' WHERE actor = '某行接口'"
        )
    client.app.state.remembered.forget(key)  # type: ignore[attr-defined]
    assert client.get(INDICATORS, headers=bearer).status_code == 200
    left = "SELECT expires_at > now() + interval '7 hours' FROM auth.session WHERE actor = '某行接口'"
    with psycopg.connect(database.auth) as cx:
        assert cx.execute(left).fetchall() == [(True,)]
        dump = cx.execute("SELECT k::text || s::text FROM auth.api_key k, auth.session s").fetchall()
        assert key not in str(dump)

    assert jincai(database.auth, *add).returncode == 2
    assert jincai(database.auth, "key", "revoke", "某行接口").returncode == 0
    client.app.state.remembered.forget(key)  # type: ignore[attr-defined]
    assert client.get(INDICATORS, headers=bearer).status_code == 401


def test_an_expired_key_is_worth_nothing(client: TestClient, database) -> None:
    key = jincai(
        database.auth, "key", "add", "old", "--permission", "budget.read", "--days", "1"
    ).stdout.strip()
    with psycopg.connect(database.auth) as cx:
        cx.execute("UPDATE auth.api_key SET expires_at = now() WHERE name = 'old'")
    assert client.get(INDICATORS, headers={"Authorization": f"Bearer {key}"}).status_code == 401
