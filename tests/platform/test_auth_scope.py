"""What a session may see: decided by PostgreSQL from tables that the application cannot read."""

import contextlib
from typing import LiteralString

import psycopg
import pytest
from fastapi.testclient import TestClient
from jincai import demonstration, plugins
from jincai.auth import sessions
from psycopg import sql

from tests.platform.auth_people import log_in, person

DIVISIONS = ("450100", "450102", "450200")


@pytest.fixture(scope="module", autouse=True)
def _rows(database, session) -> None:
    """One indicator in each of three divisions beside the demonstration's."""
    demonstration.load(database.owner, plugins.load())
    with psycopg.connect(database.owner) as cx:
        cx.execute("SELECT set_config('jincai.session', %s, true)", (session(),))
        for division in DIVISIONS:
            cx.execute(
                """
                INSERT INTO budget.indicator
                       (fiscal_year, division, indicator_no, agency_code, bgt_type_code, fund_type_code,
                        exp_func_code, dep_exp_eco_code, summary, amount)
                VALUES (2017, %s, 'X-1', '101001', '1', '1', '2010301', '30201', 'x', 1)
                """,
                (division,),
            )


def seen(cx: psycopg.Connection) -> set[str]:
    return {row[0] for row in cx.execute("SELECT DISTINCT division FROM budget.indicator")}


# Everything that the application's role may set or call to be taken for somebody else.
TRICKS: list[LiteralString] = [
    "SELECT 1",
    "SET jincai.session = ''",
    "RESET jincai.session",
    "SET jincai.session = '450200'",
    "SET jincai.session = 'anything'",
    "SET row_security = off",
    "SET session_replication_role = replica",
    "SET search_path = pg_temp, auth, budget",
    "SET jincai.divisions = '450200'",
    "SET ROLE jincai",
    "SET ROLE jincai_auth",
    "SET SESSION AUTHORIZATION jincai",
    "ALTER TABLE budget.indicator DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE budget.indicator NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY scope ON budget.indicator",
    "CREATE POLICY open ON budget.indicator USING (true)",
    "CREATE OR REPLACE FUNCTION auth.sees_all() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "CREATE FUNCTION pg_temp.sees_all() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "CREATE TEMP TABLE session AS SELECT NULL::text[] AS divisions",
    "CALL auth.protect('budget.indicator')",
    "SELECT auth.present()",
    "SELECT set_config('jincai.session', encode(sha256('x'), 'hex'), false)",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_a_city_never_sees_another(database, session, trick: LiteralString) -> None:
    with psycopg.connect(database.app, autocommit=True) as cx:
        cx.execute("SELECT set_config('jincai.session', %s, false)", (session(divisions=["450100"]),))
        assert seen(cx) == {"450100"}
        with contextlib.suppress(psycopg.Error):
            cx.execute(trick)
        try:
            assert seen(cx) <= {"450100"}
        except psycopg.errors.InsufficientPrivilege:
            # row_security = off makes PostgreSQL refuse rather than filter.
            assert "row_security" in trick


def test_a_leaky_function_is_asked_after_the_policy(database, session) -> None:
    with psycopg.connect(database.app, autocommit=True) as cx:
        cx.execute("SELECT set_config('jincai.session', %s, false)", (session(divisions=["450100"]),))
        cx.execute(
            """
            CREATE FUNCTION pg_temp.tell(division text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
            $$ BEGIN RAISE NOTICE '%', division; RETURN true; END $$
            """
        )
        told: list[str] = []
        cx.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        cx.execute("SELECT count(*) FROM budget.indicator WHERE pg_temp.tell(division)")
        assert set(told) == {"450100"}


OF_LIUZHOU = "SELECT 1 + count(*) FROM budget.indicator WHERE division = '450200' AND fiscal_year = 2016"


@pytest.mark.parametrize(
    "write",
    [
        "UPDATE budget.indicator SET summary = 'y' WHERE division = '450200'",
        "UPDATE budget.indicator SET division = '450200' WHERE division = '450100'",
    ],
)
def test_nor_writes_there(database, session, write: LiteralString) -> None:
    with psycopg.connect(database.app, autocommit=True) as cx:
        cx.execute("SELECT set_config('jincai.session', %s, false)", (session(divisions=["450100"]),))
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
            assert cx.execute(write).rowcount == 0
        written = "SELECT count(*) FROM budget.indicator WHERE division = '450200' AND summary <> 'y'"
        cx.execute("SELECT set_config('jincai.session', %s, false)", (session(),))
        assert cx.execute(written).fetchone() == cx.execute(OF_LIUZHOU).fetchone()


def test_without_a_session_there_are_no_rows_for_the_owner_either(database) -> None:
    for url in (database.app, database.owner):
        with psycopg.connect(url) as cx:
            assert seen(cx) == set()


def test_an_ended_session_sees_nothing(database, session) -> None:
    token = session()
    with psycopg.connect(database.app, autocommit=True) as cx:
        cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        assert seen(cx) == set(DIVISIONS)
        with psycopg.connect(database.auth) as auth:
            auth.execute(
                "UPDATE auth.session SET expires_at = now() WHERE token_sha256 = %s",
                (sessions.hashed(token),),
            )
        assert seen(cx) == set()


def test_the_application_reads_and_writes_nothing_of_auth(database) -> None:
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'auth'"
    with psycopg.connect(database.owner) as cx:
        names = sorted(row[0] for row in cx.execute(tables))
    assert names == ["account", "api_key", "change", "role_grant", "session"]
    statements = ("SELECT * FROM {}", "INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "COPY {} TO STDOUT")
    with psycopg.connect(database.app, autocommit=True) as cx:
        for name in names:
            for statement in statements:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    cx.execute(sql.SQL(statement).format(sql.Identifier("auth", name)))
        # What may be called tells nothing of others.
        shown = cx.execute("SELECT auth.sees_all(), auth.divisions(), auth.agencies()").fetchone()
        assert shown == (False, [], None)


def test_the_log_in_role_sees_no_business(database) -> None:
    with psycopg.connect(database.auth, autocommit=True) as cx:
        for table in ("budget.indicator", "payment.payment", "ledger.voucher", "hub.outbox"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                cx.execute(sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(*table.split("."))))


def api(client: TestClient, division: str, year: int = 2017) -> int:
    query = {"fiscal_year": year, "division": division}
    total: int = client.get("/api/v1/budget/indicators", params=query).json()["total"]
    return total


def test_a_city_covers_its_counties_and_a_county_not_its_city(client: TestClient, database) -> None:
    person(database.auth, "city", divisions=["450100"])
    person(database.auth, "county", divisions=["450102"])
    person(database.auth, "region", divisions=["450000"])
    person(database.auth, "everywhere", divisions=[])
    found = {}
    for login in ("city", "county", "region", "everywhere"):
        assert log_in(client, login).status_code == 303
        found[login] = [api(client, division) for division in DIVISIONS]
    client.cookies.clear()
    assert found == {
        "city": [1, 1, 0],
        "county": [0, 1, 0],
        "region": [1, 1, 1],
        "everywhere": [1, 1, 1],
    }


def test_a_unit_sees_its_own_rows(client: TestClient, database) -> None:
    person(database.auth, "school", ["budget_unit"], agencies=["205001"])
    log_in(client, "school")
    assert (api(client, "450100", 2016), api(client, "450100")) == (1, 0)
    page = client.get("/budget/indicators", params={"fiscal_year": 2016, "division": "450100"}).text
    client.cookies.clear()
    assert "小学教育" in page
    assert "公路新建" not in page


def test_a_page_offers_only_the_readers_books(client: TestClient, database) -> None:
    person(database.auth, "liuzhou", divisions=["450200"])
    log_in(client, "liuzhou")
    page = client.get("/budget/indicators").text
    client.cookies.clear()
    assert "450200 柳州市" in page
    assert "450100" not in page.replace('placeholder="450100"', "")


# Rules that hold for every division alike.
OF_ALL_DIVISIONS = {"ledger.posting_rule", "ledger.closing_rule"}
# What finds payments: only its functions read it (test_fund_query.py). A saved query has its maker's scope.
OF_THE_FUND_QUERY = {
    "payment.search",
    "payment.search_cursor",
    "payment.search_unsent",
    "payment.saved_query",
}
_TABLES = """
SELECT c.oid::regclass::text,
       c.relrowsecurity AND c.relforcerowsecurity
       AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'scope')
       AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'division')
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname = ANY (%s)
"""


def test_every_business_table_is_protected(database) -> None:
    schemas = [system.code for system in plugins.load()] + ["hub"]
    with psycopg.connect(database.owner) as cx:
        found = dict(cx.execute(_TABLES, (schemas,)).fetchall())
    assert len(found) > 20
    # Whether a site pays at all is nobody's division.
    found.pop('payment."freeze"')  # a keyword, so regclass quotes it
    open_to_all = {table for table, protected in found.items() if not protected}
    assert open_to_all <= OF_ALL_DIVISIONS | OF_THE_FUND_QUERY
