"""One edition of a system hands all it holds over to another, twice, back again, and for good."""

import importlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from jincai import migrate, replacing
from jincai.errors import ConfigurationError, MigrationError
from jincai.system import System

from tests.lab.systems import Small

ROLE = "jincai_app"
Load = Callable[[Small], System]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """The system of a small project, imported from where it was written."""
    paths: list[str] = []

    def one(small: Small) -> System:
        project = small.write(tmp_path)
        sys.path.insert(0, str(project))
        paths.append(str(project))
        system = importlib.import_module(small.module).SYSTEM
        assert isinstance(system, System)
        return system

    yield one
    for path in paths:
        sys.path.remove(path)


def handed(url: str, system: System) -> io.StringIO:
    out = io.StringIO()
    replacing.hand_over(url, system, out)
    return io.StringIO(out.getvalue())


def records(url: str, schema: str) -> list[tuple[str, int]]:
    with psycopg.connect(url) as cx:
        return cx.execute(f"SELECT id, amount FROM {schema}.record ORDER BY id").fetchall()  # noqa: S608


def unsettled(url: str) -> list[str]:
    with psycopg.connect(url) as cx:
        rows = cx.execute("SELECT from_release FROM jincai.replacement WHERE settled_at IS NULL").fetchall()
    return [release for (release,) in rows]


def fill(url: str, schema: str, first: int, last: int) -> None:
    rows = [(str(n), "title", n * 100) for n in range(first, last + 1)]
    with (
        psycopg.connect(url) as cx,
        cx.cursor() as cursor,
        cursor.copy(f"COPY {schema}.record FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def test_everything_goes_over_and_what_came_meanwhile_follows(empty_database, load: Load) -> None:
    url = empty_database.owner
    old, new = load(Small("payroll", "1.0.0", "vendor")), load(Small("payroll", "1.1.0"))
    migrate.run(url, [old], ROLE)
    fill(url, "payroll_vendor", 1, 2_500)
    migrate.run(url, [new], ROLE, contract=False)
    assert replacing.take_over(url, new, handed(url, old), "2025.9-1") == (2_500, 2_500)
    assert unsettled(url) == ["2025.9-1"]
    fill(url, "payroll_vendor", 2_501, 2_510)
    assert replacing.take_over(url, new, handed(url, old), "2025.9-1", settle=True) == (2_510, 10)
    assert records(url, "payroll") == records(url, "payroll_vendor")
    assert unsettled(url) == []
    with psycopg.connect(url) as cx:
        assert cx.execute("SELECT count(*) FROM jincai.replacement").fetchone() == (1,)


def test_and_back_again_until_it_is_confirmed(empty_database, load: Load) -> None:
    url = empty_database.owner
    old, new = load(Small("nontax", "1.0.0", "vendor")), load(Small("nontax", "1.1.0"))
    migrate.run(url, [old], ROLE)
    fill(url, "nontax_vendor", 1, 3)
    migrate.run(url, [new], ROLE, contract=False)
    replacing.take_over(url, new, handed(url, old), "2025.9-1", settle=True)
    fill(url, "nontax", 4, 5)
    # A rollback: what was written in the new edition comes along.
    assert replacing.take_over(url, old, handed(url, new), "2026.1-2", settle=True) == (5, 2)
    assert records(url, "nontax_vendor") == records(url, "nontax")
    report = migrate.run(url, [new], ROLE)
    assert report.retired == ()  # the newest replacement is by the other one
    replacing.take_over(url, new, handed(url, old), "2025.9-1", settle=True)
    assert migrate.run(url, [new], ROLE, contract=False).retired == ()
    assert migrate.run(url, [new], ROLE).retired == ("nontax_vendor",)
    assert records(url, "nontax") == [(str(n), n * 100) for n in range(1, 6)]
    with psycopg.connect(url) as cx:
        assert cx.execute("SELECT to_regclass('nontax_vendor.record')").fetchone() == (None,)
        assert cx.execute(
            "SELECT count(*) FROM jincai.migration WHERE dist = %s", (old.dist,)
        ).fetchone() == (0,)
    assert not migrate.run(url, [new], ROLE).changed


@pytest.mark.parametrize("cut", ["", "half a line", "one line less", "another digest"])
def test_what_is_damaged_stores_nothing(empty_database, load: Load, cut: str) -> None:
    url = empty_database.owner
    old, new = load(Small("payroll", "1.0.0", "vendor")), load(Small("payroll", "1.1.0"))
    migrate.run(url, [old], ROLE)
    fill(url, "payroll_vendor", 1, 3)
    migrate.run(url, [new], ROLE, contract=False)
    lines = handed(url, old).getvalue().splitlines(keepends=True)
    damaged = {
        "": lines[:1],
        "half a line": [*lines[:2], lines[2][:20]],
        "one line less": [*lines[:2], *lines[3:]],
        "another digest": [*lines[:2], lines[2].replace("title", "tilte", 2), *lines[3:]],
    }[cut]
    with pytest.raises(MigrationError):
        replacing.take_over(url, new, io.StringIO("".join(damaged)), "2025.9-1")
    assert records(url, "payroll") == []
    assert unsettled(url) == []


def test_another_system_is_refused(empty_database, load: Load) -> None:
    url = empty_database.owner
    old, new = load(Small("payroll", "1.0.0", "vendor")), load(Small("nontax", "1.1.0"))
    migrate.run(url, [old, new], ROLE)
    with pytest.raises(ConfigurationError, match="hands over to jincai-nontax"):
        replacing.take_over(url, new, handed(url, old), "2025.9-1")
    with pytest.raises(ConfigurationError, match="cannot hand over"):
        replacing.hand_over(url, old.model_copy(update={"hand_over": None}), io.StringIO())
