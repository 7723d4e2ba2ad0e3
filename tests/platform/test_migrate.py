import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import psycopg
import pytest
from fastapi import APIRouter
from jincai import migrate, plugins
from jincai.embedded import Server
from jincai.errors import DatabaseUnavailableError, MigrationError
from jincai.system import Grant, System

ROLE = "jincai_app"
PLATFORM = list((resources.files("jincai") / "migrations").iterdir())
MakeSystem = Callable[..., System]


@pytest.fixture
def make_system(tmp_path: Path) -> MakeSystem:
    """A system whose migrations are the given texts, by file name."""

    def make(files: dict[str, str], grants: tuple[Grant, ...] = ()) -> System:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return System(
            code="demo",
            dist="jincai-demo",
            name="示例",
            name_en="Demo",
            version="1.0.0",
            platform=">=1",
            migrations=tmp_path,
            grants=grants,
            router=APIRouter,
        )

    return make


FIRST = {"0001_expand_thing.sql": "CREATE SCHEMA demo;\nCREATE TABLE demo.thing (id bigint PRIMARY KEY);\n"}


def test_the_first_run_applies_everything_and_the_second_nothing(empty_database) -> None:
    first = migrate.run(empty_database.owner, plugins.load(), ROLE)
    dists = dict.fromkeys(one.dist for one in first.applied)
    assert list(dists) == ["jincai", "jincai-budget", "jincai-ledger", "jincai-payment"]
    assert first.seeded["standards.division"] == 156
    assert {"SELECT ON standards.division", "SELECT ON auth.account"} <= set(first.granted)
    second = migrate.run(empty_database.owner, plugins.load(), ROLE)
    already = len(first.applied)
    assert (second.applied, second.already, second.seeded, second.granted) == ((), already, {}, ())
    assert first.changed
    assert not second.changed


def test_the_record_says_who_and_when(empty_database) -> None:
    migrate.run(empty_database.owner, (), ROLE)
    with psycopg.connect(empty_database.owner) as cx:
        row = cx.execute(
            """
            SELECT number, name, applied_by, now() - applied_at < '1 minute'
              FROM jincai.migration
             ORDER BY number
            """
        )
        assert row.fetchone() == (1, "0001_expand_divisions", "jincai", True)


def test_a_later_run_applies_only_what_is_new(empty_database, make_system: MakeSystem) -> None:
    migrate.run(empty_database.owner, [make_system(FIRST)], ROLE)
    more = make_system({"0002_expand_name.sql": "ALTER TABLE demo.thing ADD COLUMN name text;"})
    report = migrate.run(empty_database.owner, [more], ROLE)
    assert [one.name for one in report.applied] == ["0002_expand_name"]


def test_a_changed_file_is_refused_by_name(empty_database, make_system: MakeSystem) -> None:
    migrate.run(empty_database.owner, [make_system(FIRST)], ROLE)
    changed = make_system({"0001_expand_thing.sql": "CREATE SCHEMA demo; -- afterthought"})
    with pytest.raises(MigrationError, match=r"jincai-demo: 0001_expand_thing\.sql differs"):
        migrate.run(empty_database.owner, [changed], ROLE)


def test_older_code_accepts_a_newer_schema(empty_database, make_system: MakeSystem, tmp_path: Path) -> None:
    newer = make_system(FIRST | {"0002_expand_name.sql": "ALTER TABLE demo.thing ADD COLUMN name text;"})
    migrate.run(empty_database.owner, [newer], ROLE)
    (tmp_path / "0002_expand_name.sql").unlink()
    report = migrate.run(empty_database.owner, [make_system(FIRST)], ROLE)
    assert report.applied == ()


def test_what_the_former_version_needs_goes_only_when_told_to(
    empty_database, make_system: MakeSystem
) -> None:
    migrate.run(empty_database.owner, [make_system(FIRST)], ROLE)
    upgraded = make_system(
        FIRST
        | {
            "0002_expand_name.sql": "ALTER TABLE demo.thing ADD COLUMN name text;",
            "0003_contract_id.sql": "ALTER TABLE demo.thing DROP COLUMN id;",
            "0004_expand_note.sql": "ALTER TABLE demo.thing ADD COLUMN note text;",
        }
    )
    report = migrate.run(empty_database.owner, [upgraded], ROLE, contract=False)
    assert [one.name for one in report.applied] == ["0002_expand_name", "0004_expand_note"]
    assert [one.name for one in report.waiting] == ["0003_contract_id"]
    again = migrate.run(empty_database.owner, [upgraded], ROLE, contract=False)
    assert (again.applied, again.changed) == ((), False)
    assert migrate.newest([upgraded])["jincai-demo"] == "0004_expand_note"
    late = migrate.run(empty_database.owner, [upgraded], ROLE)
    assert [one.name for one in late.applied] == ["0003_contract_id"]
    assert late.waiting == ()


def test_a_new_system_has_nobody_to_spare(empty_database, make_system: MakeSystem) -> None:
    files = FIRST | {"0002_contract_id.sql": "ALTER TABLE demo.thing DROP COLUMN id;"}
    report = migrate.run(empty_database.owner, [make_system(files)], ROLE, contract=False)
    assert "0002_contract_id" in {one.name for one in report.applied}


def test_who_waits_for_a_table_lets_others_pass(empty_database, make_system: MakeSystem) -> None:
    """A long reader keeps the migration from its table; who reads shortly after waits for neither."""
    migrate.run(empty_database.owner, [make_system(FIRST)], ROLE)
    upgraded = make_system(FIRST | {"0002_expand_name.sql": "ALTER TABLE demo.thing ADD COLUMN name text;"})
    with psycopg.connect(empty_database.owner) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("SELECT count(*) FROM demo.thing")
        run = pool.submit(migrate.run, empty_database.owner, [upgraded], ROLE)
        with psycopg.connect(empty_database.owner, autocommit=True) as other:
            other.execute("SET statement_timeout = '5s'")
            for _ in range(5):
                other.execute("SELECT count(*) FROM demo.thing")
                time.sleep(0.3)
        assert not run.done()
        reader.rollback()
        assert [one.name for one in run.result(30).applied] == ["0002_expand_name"]


def test_a_failing_file_leaves_nothing_behind_and_names_its_line(
    empty_database, make_system: MakeSystem
) -> None:
    wrong = "CREATE TABLE demo.other (id bigint);\nSELECT 1;\nSELECT nonsense;\n"
    with pytest.raises(MigrationError, match=r"0002_expand_wrong\.sql, line 3: .*nonsense"):
        migrate.run(empty_database.owner, [make_system(FIRST | {"0002_expand_wrong.sql": wrong})], ROLE)
    with psycopg.connect(empty_database.owner) as cx:
        assert cx.execute("SELECT to_regclass('demo.thing'), to_regclass('demo.other')").fetchone() == (
            "demo.thing",
            None,
        )
        assert cx.execute(
            "SELECT max(number) FROM jincai.migration WHERE dist = 'jincai-demo'"
        ).fetchone() == (1,)
    right = make_system({"0002_expand_wrong.sql": "CREATE TABLE demo.other (id bigint);"})
    assert [one.name for one in migrate.run(empty_database.owner, [right], ROLE).applied] == [
        "0002_expand_wrong"
    ]


def test_a_file_may_not_end_its_own_transaction(empty_database, make_system: MakeSystem) -> None:
    with pytest.raises(MigrationError, match="ends the transaction"):
        migrate.run(empty_database.owner, [make_system({"0001_expand_a.sql": "SELECT 1; COMMIT;"})], ROLE)


def test_two_runs_at_once_apply_everything_once(empty_database, make_system: MakeSystem) -> None:
    slow = make_system(FIRST | {"0002_expand_slow.sql": "SELECT pg_sleep(0.5);"})
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(migrate.run, empty_database.owner, [slow], ROLE) for _ in range(2)]
        reports = [run.result() for run in runs]
    every = len(PLATFORM) + 2
    assert sorted(len(report.applied) for report in reports) == [0, every]
    assert sorted(report.already for report in reports) == [0, every]


def test_the_application_gets_what_it_needs_and_no_more(empty_database, make_system: MakeSystem) -> None:
    grant = Grant(table="demo.thing", privileges=("SELECT", "INSERT"))
    report = migrate.run(empty_database.owner, [make_system(FIRST, (grant,))], ROLE)
    assert {"USAGE ON SCHEMA demo", "SELECT ON demo.thing", "INSERT ON demo.thing"} <= set(report.granted)
    with psycopg.connect(empty_database.app, autocommit=True) as cx:
        cx.execute("INSERT INTO demo.thing VALUES (1)")
        for forbidden in ("DELETE FROM demo.thing", "UPDATE standards.division SET name = 'x'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                cx.execute(forbidden)


def test_without_the_role_nothing_is_granted(empty_database) -> None:
    report = migrate.run(empty_database.owner, (), "no_such_role", auth_role="nor_this_one")
    assert report.granted == ()


def test_a_release_corrects_its_own_rows_and_leaves_a_sites(empty_database) -> None:
    migrate.run(empty_database.owner, (), ROLE)
    with psycopg.connect(empty_database.owner) as cx:
        cx.execute("UPDATE standards.division SET name = '旧名' WHERE code = '450100'")
        cx.execute("UPDATE standards.division SET name = '本地名', source = 'site' WHERE code = '450200'")
        cx.execute("DELETE FROM standards.division WHERE code = '450300'")
    assert migrate.run(empty_database.owner, (), ROLE).seeded == {"standards.division": 2}
    with psycopg.connect(empty_database.owner) as cx:
        names = cx.execute(
            "SELECT name FROM standards.division WHERE code IN ('450100', '450200') ORDER BY code"
        )
        assert names.fetchall() == [("南宁市",), ("本地名",)]


def test_whoever_does_not_own_the_schemas_is_told(empty_database) -> None:
    with pytest.raises(MigrationError, match="permission denied") as caught:
        migrate.run(empty_database.app, (), ROLE)
    assert "owner" in caught.value.hint


def test_without_a_server_it_says_where_it_looked() -> None:
    url = "postgresql://jincai:geheim@127.0.0.1:1/jincai"
    with pytest.raises(DatabaseUnavailableError, match=r"127\.0\.0\.1:1") as caught:
        migrate.run(url, (), ROLE)
    assert "geheim" not in str(caught.value)


def test_it_waits_for_a_primary(server: Server, empty_database) -> None:
    server.stop()
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        run = pool.submit(migrate.run, empty_database.owner, (), ROLE, 30)
        time.sleep(1)
        server.start()
        assert run.result().changed
    assert time.monotonic() - began > 1


def command(url: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"JINCAI_DATABASE_URL": url} if url else {}
    return subprocess.run(
        [sys.executable, "-m", "jincai", "migrate", *arguments],
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )


def test_the_command_prints_what_it_did(empty_database) -> None:
    first = command(empty_database.owner, "--json")
    report = json.loads(first.stdout)
    assert {"dist": "jincai", "name": "0001_expand_divisions"} in report["applied"]
    assert report["already"] == 0
    second = command(empty_database.owner)
    assert (second.returncode, second.stdout) == (0, f"0 applied, {len(report['applied'])} already there\n")


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        (None, 2, "JINCAI_MIGRATION_DATABASE_URL"),
        ("postgresql://127.0.0.1:1/jincai", 3, "no database accepts writes"),
        ("not a url", 2, "JINCAI_DATABASE_URL"),
    ],
)
def test_the_command_fails_with_a_message(url: str | None, code: int, said: str) -> None:
    done = command(url)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
