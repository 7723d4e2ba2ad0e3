import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rollout.apply import processes
from rollout.apply.journal import Journal, opened
from rollout.apply.processes import Process


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_a_run_and_its_steps_can_be_read_back(path: Path) -> None:
    with opened(path) as journal:
        run = journal.begin("apply", ["yulin", "hezhou"], "2026.1", 3, "ab" * 32)
        journal.begin_step(run, "yulin", 1, 2, "push depot")
        journal.end_step(run, "yulin", 1, "done")
        journal.begin_step(run, "yulin", 2, 2, "os")
        journal.end_step(run, "yulin", 2, "failed", "yulin-a: no space")
        journal.end(run, "failed", "yulin: os")
    with opened(path) as journal:
        last = journal.last("yulin")
        assert last is not None
        assert (last.id, last.outcome, last.error) == (run, "failed", "yulin: os")
        assert (last.who, last.from_host) == (processes.person(), processes.machine())
        assert [(s.name, s.outcome, s.detail) for s in journal.steps(run)] == [
            ("push depot", "done", None),
            ("os", "failed", "yulin-a: no space"),
        ]
        # Named, but never touched.
        assert journal.last("hezhou") is None


def test_the_person_behind_sudo_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "li.na")
    with opened(path) as journal:
        journal.begin("apply", ["yulin"])
        assert journal.runs()[0].who == "li.na"


def test_what_is_done_stays_as_it_was_written(path: Path) -> None:
    with opened(path) as journal:
        run = journal.begin("apply", ["yulin"])
        journal.begin_step(run, "yulin", 1, 1, "os")
        journal.end_step(run, "yulin", 1, "done")
        journal.end_step(run, "yulin", 1, "failed")
        journal.end(run, "done")
        journal.end(run, "killed")
        assert journal.steps(run)[0].outcome == "done"
        assert journal.runs()[0].outcome == "done"


def test_the_running_are_told_from_the_killed(path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from rollout.apply.journal import Journal
journal = Journal(Path(sys.argv[1]))
run = journal.begin("apply", ["yulin"])
journal.begin_step(run, "yulin", 1, 3, "os")
print(run, flush=True)
sys.stdin.read()
"""
    victim = subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert victim.stdout is not None
    run = victim.stdout.readline().strip()
    with opened(path) as journal:
        assert [r.id for r in journal.running("yulin")] == [run]
        assert journal.unfinished("yulin") == []
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        assert journal.running("yulin") == []
        assert [r.id for r in journal.unfinished("yulin")] == [run]
        step = journal.last_step("yulin")
        assert step is not None
        assert (step.name, step.ended_at, step.outcome) == ("os", None, None)
        journal.end(run, "killed", "found by a later run")
        assert journal.unfinished("yulin") == []


def test_every_write_is_on_the_disk_when_the_call_returns(path: Path) -> None:
    """Killed between two writes, again and again: whatever was announced must be found."""
    script = """
import sys
from pathlib import Path
from rollout.apply.journal import Journal
journal = Journal(Path(sys.argv[1]))
run = journal.begin("apply", ["yulin"])
for number in range(1, 100000):
    journal.begin_step(run, "yulin", number, 100000, "step")
    journal.end_step(run, "yulin", number, "done")
    print(run, number, flush=True)
"""
    for reads in (1, 17, 60):
        victim = subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True)
        assert victim.stdout is not None
        line = [victim.stdout.readline() for _ in range(reads)][-1]
        victim.kill()
        announced = [line, *victim.communicate()[0].splitlines()]
        run, number = [text for text in announced if len(text.split()) == 2][-1].split()
        with opened(path) as journal:
            done = [step.number for step in journal.steps(run) if step.outcome == "done"]
            assert done[: int(number)] == list(range(1, int(number) + 1))


def test_threads_share_one_journal(path: Path) -> None:
    with opened(path) as journal:
        run = journal.begin("apply", [f"site{n}" for n in range(8)])

        def work(site: str) -> None:
            for number in range(1, 20):
                journal.begin_step(run, site, number, 19, "step")
                journal.end_step(run, site, number, "done")

        threads = [threading.Thread(target=work, args=(f"site{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(journal.steps(run)) == 8 * 19


def test_two_processes_write_at_once(path: Path) -> None:
    with opened(path) as one, Journal(path) as other:
        first, second = one.begin("apply", ["yulin"]), other.begin("apply", ["hezhou"])
        assert {run.id for run in one.runs()} == {first, second}


def test_children_stay_open_until_seen_to_end(path: Path) -> None:
    process = processes.me()
    with opened(path) as journal:
        run = journal.begin("apply", ["yulin"])
        journal.begin_child(run, "yulin", process)
        assert [child.process for child in journal.open_children("yulin")] == [process]
        journal.end_child(run, Process(process.pid, "another start"))
        assert len(journal.open_children("yulin")) == 1
        journal.end_child(run, process)
        assert journal.open_children("yulin") == []


def test_it_is_durable_and_private(path: Path) -> None:
    with opened(path) as journal:
        journal.begin("apply", ["yulin"])
        assert path.stat().st_mode & 0o777 == 0o600
        assert journal._cx.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert journal._cx.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_pid_used_again_is_another_process() -> None:
    process = processes.me()
    assert process.alive()
    assert not Process(process.pid, process.start + "0").alive()
    zombie = os.fork()
    if zombie == 0:
        os._exit(0)
    os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
    assert processes.start_of(zombie) is None
    os.waitpid(zombie, 0)


def a_journal_with_a_run(path: Path, site: str, steps: list[str]) -> None:
    """An apply that came to its end; for tests of what reads journals."""
    with Journal(path) as journal:
        run = journal.begin("apply", [site], "2026.1", 3, "a" * 64)
        for number, name in enumerate(steps, 1):
            journal.begin_step(run, site, number, len(steps), name)
            journal.end_step(run, site, number, "done")
        journal.end(run, "done")
