"""``rollout release`` as a person or a program calls it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rollout.cli.release import app
from rollout.errors import ConfigurationError, VerificationError
from rollout.paths import Home
from rollout.release import synthetic


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("ROLLOUT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    made = Home()
    synthetic.build(made)
    return made


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_show(home: Home) -> None:
    del home
    shown = run("show", "2026.1")
    assert "jincai-budget" in shown
    assert "2.6.1-1" in shown
    assert json.loads(run("show", "2026.1-1", "--json"))["build"] == "2026.1-1"


def test_verify_names_the_damage(home: Home) -> None:
    assert run("verify", "2026.1").startswith("verified: 2026.1 serial 1")
    (home.depot / "2026.1-1" / "more").write_text("x")
    with pytest.raises(VerificationError, match="more: not listed"):
        run("verify", "2026.1")


def test_export_and_import(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del home
    file = tmp_path / "bundle.tar"
    said = run("export", "2026.1", str(file))
    fingerprint = said.rpartition(": ")[2].strip()
    monkeypatch.setenv("ROLLOUT_HOME", str(tmp_path / "closed"))
    with pytest.raises(ConfigurationError, match="knows no release key yet"):
        run("import", str(file))
    assert run("import", str(file), "--fingerprint", fingerprint) == "imported: 2026.1 serial 1\n"
    assert run("import", str(file), "--allow-older") == "imported: 2026.1 serial 1\n"
    assert fingerprint in run("verify", "2026.1")


def test_build_judges_its_words_first(home: Home, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such release"):
        run("build", "1999.1")
    with pytest.raises(ConfigurationError, match="--pin nonsense"):
        run("build", "2026.1", "--pin", "nonsense")
    assert not (home.cache / "apt").exists()
    (tmp_path / "mine.yml").write_text("release: [")
    with pytest.raises(ConfigurationError, match=r"mine\.yml: not valid YAML"):
        run("build", str(tmp_path / "mine.yml"))
