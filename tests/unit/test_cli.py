"""The command line as a whole: every verb is there, and one verb imports its own half only."""

import subprocess
import sys

import pytest
import typer

from rollout import cli


def test_every_verb_is_there() -> None:
    command = typer.main.get_command(cli.assembled([]))
    assert set(command.commands) == {verb for verbs in cli.VERBS.values() for verb in verbs}  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [["--version"], ["audit", "--help"], ["verify-report", "--help"]])
def test_it_runs(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "rollout.cli", *words], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_audit_imports_nothing_of_an_apply() -> None:
    code = "import sys, rollout.cli; rollout.cli.assembled(['audit']); import rollout.audit.command; "
    code += "sys.exit(bool({'cryptography', 'rich.console', 'rollout.apply'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
