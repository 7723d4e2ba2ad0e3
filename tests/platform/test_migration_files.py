from pathlib import Path

import pytest
from jincai import migration_files
from jincai.errors import MigrationError


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("SELECT 1;\n")
    return folder


def test_files_come_by_number(tmp_path: Path) -> None:
    found = migration_files.read(
        "demo", write(tmp_path, "0002_contract_b.sql", "0001_expand_a.sql", "README")
    )
    assert [(one.number, one.name) for one in found] == [(1, "0001_expand_a"), (2, "0002_contract_b")]


@pytest.mark.parametrize(
    ("names", "named"),
    [
        (["0001_expand_a.sql", "0003_expand_c.sql"], "0003_expand_c.sql stands where number 0002"),
        (["0002_expand_b.sql"], "0002_expand_b.sql stands where number 0001"),
        (["0001_expand_a.sql", "0001_expand_b.sql"], "0001_expand_b.sql stands where number 0002"),
        (["0001_change_a.sql"], "0001_change_a.sql is not named"),
        (["1_expand_a.sql"], "1_expand_a.sql is not named"),
        ([], "no migrations in"),
    ],
)
def test_a_wrong_folder_names_the_file(tmp_path: Path, names: list[str], named: str) -> None:
    with pytest.raises(MigrationError, match=named):
        migration_files.read("demo", write(tmp_path, *names))


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "0001_expand_a.sql").write_bytes(b"SELECT '\xff'")
    with pytest.raises(MigrationError, match=r"0001_expand_a\.sql is not UTF-8 at byte 8"):
        migration_files.read("demo", tmp_path)
