"""Real processes: a run is killed, its child lives on, the next run finds it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout.apply import orphans, processes
from rollout.apply.journal import Journal
from rollout.apply.processes import Process
from rollout.errors import HeldError

# A run that starts a child in its own session (a shell with a grandchild) and is then killed.
RUN = """
import os, subprocess, sys
from pathlib import Path
from rollout.apply import orphans, processes
from rollout.apply.journal import Journal
journal = Journal(Path(sys.argv[1]))
run = journal.begin("apply", ["yulin"])
journal.begin_step(run, "yulin", 3, 9, "etcd")
child = subprocess.Popen(
    ["sh", "-c", sys.argv[2]],
    start_new_session=True,
    stdout=subprocess.DEVNULL,
    env={**os.environ, **orphans.mark(run, "yulin")},
)
if sys.argv[3] == "journalled":
    journal.begin_child(run, "yulin", processes.of(child.pid))
print(run, child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as journal:
        yield journal


def a_run(path: Path, script: str, how: str = "journalled") -> tuple[subprocess.Popen[str], str, Process]:
    parent = subprocess.Popen(
        [sys.executable, "-c", RUN, path, script, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    run, pid = parent.stdout.readline().split()
    return parent, run, processes.of(int(pid))


def kill(parent: subprocess.Popen[str]) -> None:
    parent.kill()
    parent.communicate()


@pytest.mark.parametrize("how", ["journalled", "killed before it could be journalled"])
def test_an_orphan_and_its_children_are_found_and_ended(journal: Journal, tmp_path: Path, how: str) -> None:
    parent, run, child = a_run(tmp_path / "journal.db", "sleep 300 & wait", how)
    kill(parent)
    until = time.monotonic() + 20
    while len(found := orphans.find(journal, "yulin")) < 2 and time.monotonic() < until:
        time.sleep(0.05)  # the shell has yet to start its sleep
    assert set(found.values()) == {run}
    assert child in found
    assert len(found) == 2
    lines: list[str] = []
    killed = orphans.clear(journal, "yulin", lines.append, wait=3)
    assert [one.id for one in killed] == [run]
    assert not [process for process in found if process.alive()]
    text = "\n".join(lines)
    assert re.search(rf"waiting up to [0-3] s for process {child.pid}\b", text)
    assert "SIGTERM" in text
    assert f"run {run} by {processes.person()} was killed in step 3 of 9 (etcd)" in text
    last = journal.last("yulin")
    assert last is not None
    assert last.outcome == "killed"
    assert journal.open_children("yulin") == []
    assert orphans.clear(journal, "yulin", lines.append) == []


def test_an_orphan_that_finishes_in_time_is_not_ended(journal: Journal, tmp_path: Path) -> None:
    done = tmp_path / "done"
    parent, _, _ = a_run(tmp_path / "journal.db", f"sleep 1; touch {done}")
    kill(parent)
    lines: list[str] = []
    orphans.clear(journal, "yulin", lines.append, wait=30)
    assert done.exists()
    assert not [line for line in lines if "SIGTERM" in line]


def test_one_that_ignores_sigterm_is_killed(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "_TERM_SECONDS", 0.5)
    parent, _, child = a_run(tmp_path / "journal.db", "trap '' TERM; while :; do sleep 0.1; done")
    kill(parent)
    lines: list[str] = []
    orphans.clear(journal, "yulin", lines.append, wait=0)
    assert not child.alive()
    assert [line for line in lines if "SIGKILL" in line]


def test_children_of_a_living_run_are_left_alone_and_its_site_is_refused(
    journal: Journal, tmp_path: Path
) -> None:
    parent, run, child = a_run(tmp_path / "journal.db", "sleep 300")
    try:
        assert orphans.find(journal, "yulin") == {}
        assert orphans.clear(journal, "yulin", print, wait=0) == []
        assert child.alive()
        with pytest.raises(HeldError, match=run):
            orphans.refuse_running(journal, "yulin")
        orphans.refuse_running(journal, "hezhou")
    finally:
        kill(parent)
        os.killpg(child.pid, signal.SIGKILL)


def test_orphans_of_another_home_are_left_alone(journal: Journal, tmp_path: Path) -> None:
    parent, _, child = a_run(tmp_path / "another.db", "sleep 300")
    kill(parent)
    try:
        orphans.clear(journal, "yulin", print, wait=0)
        assert child.alive()
    finally:
        with Journal(tmp_path / "another.db") as theirs:
            orphans.clear(theirs, "yulin", print, wait=0)
    assert not child.alive()


def test_another_site_s_orphans_are_left_alone(journal: Journal, tmp_path: Path) -> None:
    parent, _, child = a_run(tmp_path / "journal.db", "sleep 300")
    kill(parent)
    try:
        assert orphans.find(journal, "hezhou") == {}
        orphans.clear(journal, "hezhou", print, wait=0)
        assert child.alive()
    finally:
        orphans.clear(journal, "yulin", print, wait=0)
    assert not child.alive()


def test_a_pid_that_came_to_mean_another_process_is_left_alone(journal: Journal) -> None:
    bystander = subprocess.Popen(["sleep", "300"])
    try:
        run = journal.begin("apply", ["yulin"])
        journal.begin_child(run, "yulin", Process(bystander.pid, "boot:1"))
        sql = "UPDATE run SET pid = ?, pid_start = ?"
        journal.write(sql, bystander.pid, "boot:2")
        started = time.monotonic()
        assert len(orphans.clear(journal, "yulin", print, wait=5)) == 1
        assert time.monotonic() - started < 2
        orphans.send(Process(bystander.pid, "boot:1"), signal.SIGKILL)
        assert bystander.poll() is None
        assert journal.open_children("yulin") == []
    finally:
        bystander.kill()
        bystander.wait()
