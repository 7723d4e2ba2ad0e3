import os
import sqlite3
import stat
from pathlib import Path

import pytest

from rollout.apply import state
from rollout.apply.journal import Journal
from rollout.errors import ConfigurationError, HeldError, VerificationError
from rollout.paths import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    (home.keys / "report").mkdir()
    (home.keys / "report" / "private").write_text("k3y-material")
    (home.secrets("yulin") / "vault.yml").write_text("$ANSIBLE_VAULT")
    (home.records / "yulin.json").write_text("{}")
    home.known_hosts.write_text("host key")
    (home.depot / "2026.1-1").mkdir()
    (home.depot / "2026.1-1" / "big.deb").write_text("deb")
    (home.cache / "x").write_text("cached")
    (home.runs / "r").mkdir()
    (home.root / "lab").mkdir()
    (home.root / "lab" / "disk").write_text("disk")
    (home.root / "node").write_text("this control node")
    with Journal(home.journal) as journal:
        run = journal.begin("apply", ["yulin"])
        journal.end(run, "done")
    return home


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith("journal.db")
    }


def test_all_but_builds_caches_and_identity_comes_back(home: Home, tmp_path: Path) -> None:
    count = state.export(home, tmp_path / "backup", "correct horse")
    other = Home(tmp_path / "other")
    names = state.restore(other, tmp_path / "backup", "correct horse")
    assert names == ["journal.db", "keys", "known_hosts", "records", "secrets"]
    left_out = ("depot", "cache", "lab", "node", "runs")
    assert tree(other.root) == {
        name: text for name, text in tree(home.root).items() if not name.startswith(left_out)
    }
    assert count == len(tree(other.root)) + 1
    with Journal(other.journal) as journal:
        assert [run.outcome for run in journal.runs()] == ["done"]
    assert stat.S_IMODE((other.root / "keys").stat().st_mode) == 0o700


def test_the_backup_reveals_nothing_and_is_private(home: Home, tmp_path: Path) -> None:
    state.export(home, tmp_path / "backup", "correct horse")
    content = (tmp_path / "backup").read_bytes()
    assert b"k3y-material" not in content
    assert b"vault" not in content
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "home"]


def test_what_the_journal_has_not_yet_folded_in_is_in_the_backup(home: Home, tmp_path: Path) -> None:
    with Journal(home.journal) as journal:  # open: its newest rows are in the -wal file
        journal.begin("unlock", ["yulin"])
        state.export(home, tmp_path / "backup", "x")
    other = Home(tmp_path / "other")
    state.restore(other, tmp_path / "backup", "x")
    rows = sqlite3.connect(other.journal).execute("SELECT verb FROM run ORDER BY rowid").fetchall()
    assert rows == [("apply",), ("unlock",)]


def test_state_is_not_overwritten_unless_forced_and_then_kept_aside(home: Home, tmp_path: Path) -> None:
    state.export(home, tmp_path / "backup", "x")
    (home.keys / "report" / "private").write_text("newer")
    with pytest.raises(ConfigurationError, match=r"holds state already: .*keys.*") as caught:
        state.restore(home, tmp_path / "backup", "x")
    assert "--force" in str(caught.value)
    assert (home.keys / "report" / "private").read_text() == "newer"
    state.restore(home, tmp_path / "backup", "x", force=True)
    assert (home.keys / "report" / "private").read_text() == "k3y-material"
    (aside,) = home.root.glob("replaced-*")
    assert (aside / "keys" / "report" / "private").read_text() == "newer"
    assert (home.root / "node").read_text() == "this control node"


@pytest.mark.parametrize("harm", ["passphrase", "cut", "changed", "another file"])
def test_a_wrong_passphrase_or_a_damaged_file_changes_nothing(home: Home, tmp_path: Path, harm: str) -> None:
    backup = tmp_path / "backup"
    (home.root / "keys" / "noise").write_bytes(os.urandom(300_000))
    state.export(home, backup, "x")
    content = backup.read_bytes()
    if harm == "cut":
        backup.write_bytes(content[: len(content) // 2])
    elif harm == "changed":
        backup.write_bytes(content[:-40] + bytes(40))
    elif harm == "another file":
        backup.write_text("hello")
    other = Home(tmp_path / "other")
    with pytest.raises(VerificationError):
        state.restore(other, backup, "y" if harm == "passphrase" else "x")
    assert tree(other.root) == {}
    assert not list(other.root.iterdir())


def test_nothing_is_imported_while_an_apply_runs(home: Home, tmp_path: Path) -> None:
    state.export(home, tmp_path / "backup", "x")
    with Journal(home.journal) as journal:
        journal.begin("apply", ["yulin"])
        with pytest.raises(HeldError, match="is going on"):
            state.restore(home, tmp_path / "backup", "x", force=True)


def test_a_backup_that_cannot_be_written_leaves_nothing(home: Home, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        state.export(home, tmp_path / "no such folder" / "backup", "x")
    with pytest.raises(ConfigurationError, match="inside the home"):
        state.export(home, home.root / "backup", "x")
    with pytest.raises(ConfigurationError, match="empty"):
        state.export(home, tmp_path / "backup", "")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
