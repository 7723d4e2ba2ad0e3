"""规则库: what a release ships, and drafts that people write."""

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from jincai import cli, migrate, plugins
from jincai.errors import ConfigurationError, DataFileError
from jincai.system import System
from typer.testing import CliRunner

from tests.platform.desk import Person
from tests.platform.rule_texts import RULES, begun, new_id, text


@pytest.fixture
def shipped(tmp_path: Path) -> tuple[Path, tuple[System, ...]]:
    """A folder of shipped rules, and the systems with the payment system shipping them."""
    systems = tuple(
        one.model_copy(update={"rules": tmp_path if one.code == "payment" else None})
        for one in plugins.load()
    )
    return tmp_path, systems


def ship(folder: Path, rule: str, **more: object) -> None:
    (folder / f"{rule}.yml").write_text(text(rule, **more), encoding="utf-8")  # type: ignore[arg-type]


def in_force(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as cx:
        return cx.execute(
            "SELECT rule, version, shadow FROM monitor.edition_rule"
            " WHERE edition = (SELECT max(number) FROM monitor.edition) ORDER BY rule"
        ).fetchall()


def stored(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as cx:
        return cx.execute(
            "SELECT rule, version, state, made_by, published_by FROM monitor.rule_version ORDER BY 1, 2"
        ).fetchall()


def seeded(url: str, systems: tuple[System, ...]) -> dict[str, int]:
    found = migrate.run(url, systems, "jincai_app").seeded
    return {table: rows for table, rows in found.items() if table.startswith("monitor.")}


def test_the_first_migration_puts_the_shipped_rules_in_force(empty_database, shipped) -> None:
    folder, systems = shipped
    ship(folder, "R901")
    ship(folder, "R902")
    assert seeded(empty_database.owner, systems) == {"monitor.rule_version": 2, "monitor.edition": 1}
    assert in_force(empty_database.owner) == [("R901", 1, False), ("R902", 1, False)]
    assert {row[2:] for row in stored(empty_database.owner)} == {("published", "release", "migrate")}
    assert seeded(empty_database.owner, systems) == {}
    lines = [f"{rule} 1 0 {hashlib.sha256(text(rule).encode()).hexdigest()}\n" for rule in ("R901", "R902")]
    with psycopg.connect(empty_database.owner) as cx:
        row = cx.execute("SELECT number, digest, published_by FROM monitor.edition").fetchone()
    assert row == (1, hashlib.sha256("".join(lines).encode()).digest(), "migrate")


def test_a_later_release_only_proposes(empty_database, shipped) -> None:
    folder, systems = shipped
    ship(folder, "R901")
    seeded(empty_database.owner, systems)
    ship(folder, "R901", least=7_000_000)
    ship(folder, "R902")
    assert seeded(empty_database.owner, systems) == {"monitor.rule_version": 2}
    drafts = [("R901", 2, "draft", "release", None), ("R902", 1, "draft", "release", None)]
    assert stored(empty_database.owner)[1:] == drafts
    assert in_force(empty_database.owner) == [("R901", 1, False)]
    # Yet another file finds the draft, and leaves it; the file that is a version already, too.
    ship(folder, "R901", least=8_000_000)
    assert seeded(empty_database.owner, systems) == {}
    ship(folder, "R901")
    assert seeded(empty_database.owner, systems) == {}
    assert stored(empty_database.owner)[1:] == drafts


def test_what_people_gave_up_is_not_proposed_again(empty_database, shipped) -> None:
    folder, systems = shipped
    ship(folder, "R901")
    seeded(empty_database.owner, systems)
    ship(folder, "R901", least=7_000_000)
    seeded(empty_database.owner, systems)
    with psycopg.connect(empty_database.owner) as cx:
        cx.execute("UPDATE monitor.rule_version SET state = 'discarded' WHERE version = 2")
    assert seeded(empty_database.owner, systems) == {}


def test_a_rule_that_people_began_first_is_theirs(empty_database, shipped) -> None:
    folder, systems = shipped
    migrate.run(empty_database.owner, systems, "jincai_app")
    with psycopg.connect(empty_database.owner) as cx:
        cx.execute(
            "INSERT INTO monitor.rule_version (rule, version, source, made_by) VALUES ('R901', 1, 'x', 'm')"
        )
    ship(folder, "R901")
    ship(folder, "R902")
    assert seeded(empty_database.owner, systems) == {"monitor.rule_version": 1, "monitor.edition": 1}
    assert in_force(empty_database.owner) == [("R902", 1, False)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"title: x\n", "R901.yml, line 1"),
        (b"id: R901\ntitle: [\n", "R901"),
        (text("R901", when="colour >= least").encode(), "R901, line"),
        (b"\xff\xfe", "UTF-8"),
        (b"id: R901\n" + b"#" * 70_000, "65536"),
    ],
)
def test_a_damaged_file_is_named_and_nothing_is_loaded(empty_database, shipped, content, said) -> None:
    folder, systems = shipped
    ship(folder, "R902")
    (folder / "R901.yml").write_bytes(content)
    with pytest.raises(DataFileError, match=said):
        migrate.run(empty_database.owner, systems, "jincai_app")
    assert stored(empty_database.owner) == []


def test_two_files_of_one_rule(empty_database, shipped) -> None:
    folder, systems = shipped
    ship(folder, "R901")
    (folder / "R901-again.yml").write_text(text("R901"), encoding="utf-8")
    with pytest.raises(DataFileError, match="R901"):
        migrate.run(empty_database.owner, systems, "jincai_app")


@pytest.fixture(scope="module")
def maker(client, session) -> Person:
    return Person(client, session("monitor.read", "monitor.rule_draft", actor="maker"))


@pytest.fixture(scope="module")
def other(client, session) -> Person:
    return Person(client, session("monitor.read", "monitor.rule_draft", actor="other"))


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner, autocommit=True) as cx:
        yield cx


def test_a_new_rule_begins_with_a_skeleton_that_is_right(maker) -> None:
    rule = new_id()
    answer = maker.post(f"{RULES}/{rule}/draft", {})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["version"], answer.json()["state"]) == (1, "draft")
    tried = maker.post(f"{RULES}/{rule}/versions/1/try", {}).json()
    assert tried["mistakes"] == []
    assert [(one["expected"], one["fired"]) for one in tried["examples"]] == [(True, True), (False, False)]


def test_one_draft_at_a_time(maker, other) -> None:
    draft = begun(maker, new_id())
    body = {"source": draft["source"]}
    assert maker.post(f"{RULES}/{draft['rule']}/draft", body).json() == draft
    answer = other.post(f"{RULES}/{draft['rule']}/draft", body)
    assert (answer.status_code, "maker编制" in answer.json()["detail"]) == (409, True)


def test_a_draft_is_changed_at_the_revision_that_was_seen(maker, other) -> None:
    draft = begun(maker, new_id())
    path, rule = f"{RULES}/{draft['rule']}/draft", str(draft["rule"])
    asked = {"revision": 1, "source": text(rule, least=1_000).replace("\n", "\r\n")}
    saved = other.put(path, asked).json()
    assert (saved["revision"], saved["changed_by"], saved["source"]) == (
        2,
        ["other"],
        text(rule, least=1_000),
    )
    assert other.put(path, asked).json() == saved
    stale = maker.put(path, {"revision": 1, "source": text(rule, least=2_000)})
    assert (stale.status_code, "other" in stale.json()["detail"]) == (409, True)
    assert maker.get(path).json() == saved
    assert maker.put(path, {"revision": 2, "source": text(rule, least=3_000)}).json()["changed_by"] == [
        "other"
    ]


def test_a_wrong_text_is_kept_and_its_mistake_shown(maker) -> None:
    draft = begun(maker, new_id())
    path, rule = f"{RULES}/{draft['rule']}", str(draft["rule"])
    for number, wrong in enumerate(
        ["title: [", text(rule, when="colour > 1"), text("R9999"), text(rule, more="colour: red\n")]
    ):
        saved = maker.put(f"{path}/draft", {"revision": number + 1, "source": wrong})
        assert saved.status_code == 200, saved.text
        (mistake,) = maker.post(f"{path}/versions/1/try", {}).json()["mistakes"]
        assert mistake["line"] > 0, (wrong, mistake)
        assert mistake["zh"]


@pytest.mark.parametrize(
    ("source", "status"),
    [("", 422), (" \n", 422), ("a\x00b", 422), ("规" * 22_000, 422), ("x" * 300_000, 422)],
)
def test_what_is_no_text_of_a_rule_is_refused(maker, source, status) -> None:
    draft = begun(maker, new_id())
    answer = maker.put(f"{RULES}/{draft['rule']}/draft", {"revision": 1, "source": source})
    assert answer.status_code == status
    assert maker.get(f"{RULES}/{draft['rule']}/draft").json() == draft


def test_a_discarded_draft_stays_to_be_read_and_is_no_model(maker, other) -> None:
    draft = begun(maker, new_id())
    path = f"{RULES}/{draft['rule']}"
    assert other.post(f"{path}/draft/discard", {"revision": 2}).status_code == 409
    gone = other.post(f"{path}/draft/discard", {"revision": 1}).json()
    assert (gone["state"], gone["changed_by"]) == ("discarded", ["other"])
    assert maker.get(f"{path}/draft").status_code == 404
    assert maker.get(f"{path}/versions/1").json() == gone
    again = maker.post(f"{path}/draft", {}).json()
    assert (again["version"], again["source"] != draft["source"]) == (2, True)


def test_who_may(client, session, maker) -> None:
    draft = begun(maker, new_id())
    path = f"{RULES}/{draft['rule']}"
    reader = Person(client, session("monitor.read"))
    for found in (RULES, path, f"{path}/draft", f"{path}/versions/1"):
        assert reader.get(found).status_code == 200
    assert reader.post(f"{path}/draft", {}).status_code == 403
    assert reader.put(f"{path}/draft", {"revision": 1, "source": "x"}).status_code == 403
    assert reader.post(f"{path}/draft/discard", {"revision": 1}).status_code == 403
    assert Person(client, session("payment.read")).get(RULES).status_code == 403
    assert reader.get(f"{RULES}/R9998").status_code == 404
    assert reader.get(f"{RULES}/r1").status_code == 422


def test_many_beginning_at_once_get_one_draft(client, session, books) -> None:
    rule = new_id()
    tokens = [session("monitor.rule_draft", actor=f"maker-{n}") for n in range(6)]

    async def all_at_once() -> list[int]:
        people = [Person(client, token) for token in tokens]
        asked = [asyncio.to_thread(one.post, f"{RULES}/{rule}/draft", {}) for one in people]
        return [answer.status_code for answer in await asyncio.gather(*asked)]

    assert sorted(asyncio.run(all_at_once())) == [201, *[409] * 5]
    assert books.execute("SELECT count(*) FROM monitor.rule_version WHERE rule = %s", (rule,)).fetchone() == (
        1,
    )


def test_rules_on_the_command_line(empty_database, shipped, monkeypatch) -> None:
    folder, systems = shipped
    ship(folder, "R901")
    seeded(empty_database.owner, systems)
    ship(folder, "R901", least=7_000_000)
    ship(folder, "R902")
    seeded(empty_database.owner, systems)
    monkeypatch.setenv("JINCAI_DATABASE_URL", empty_database.app)

    def run(*argv: str) -> str:
        done = CliRunner().invoke(cli.app, ["rules", *argv], catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    assert run("list") == "R901\t1\t-\t2\nR902\t-\t-\t1\n"
    assert run("show", "R901") == text("R901")
    assert run("show", "R901", "--version", "2") == text("R901", least=7_000_000)
    assert run("show", "R902") == text("R902")
    with pytest.raises(ConfigurationError, match="no version 9 of rule R901"):
        run("show", "R901", "--version", "9")
