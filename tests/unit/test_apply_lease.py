import json
import subprocess
import sys
from pathlib import Path

import pytest

from rollout.apply import processes
from rollout.apply.lease import Lease, LeaseKeeper
from rollout.errors import ApplyError, Exit, HeldError
from rollout.paths import Home
from tests.unit.test_apply_support import Local


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "storage"


def keeper(folder: Path, home: str = "home") -> LeaseKeeper:
    return LeaseKeeper(Home(folder.parent / home), "yulin", Local(), str(folder))


def test_taken_read_and_given_back_on_a_bare_host(folder: Path) -> None:
    mine = keeper(folder)
    with mine.held("run-1") as taken:
        there = mine.read()
        assert there == taken.lease
        assert (there.run, there.who, there.from_host) == ("run-1", processes.person(), processes.machine())
        assert (folder / "lease.json").stat().st_mode & 0o777 == 0o600
    assert mine.read() is None


def test_the_second_applicant_is_told_who_holds_it(folder: Path) -> None:
    keeper(folder).take("run-1")
    with pytest.raises(HeldError) as caught:
        keeper(folder, "another control node").take("run-2")
    text = str(caught.value)
    assert processes.person() in text
    assert processes.machine() in text
    assert "run-1" in text
    assert "rollout unlock --site yulin --reason" in text
    assert caught.value.exit_code == Exit.FAILED


def test_it_is_given_back_when_the_block_fails(folder: Path) -> None:
    with pytest.raises(KeyError), keeper(folder).held("run-1"):
        raise KeyError
    assert keeper(folder).read() is None


def test_another_run_cannot_give_it_back(folder: Path) -> None:
    keeper(folder).take("run-1")
    assert not keeper(folder).release("run-2")
    there = keeper(folder).read()
    assert there is not None
    assert there.run == "run-1"


RACER = """
import os, sys
from pathlib import Path
from tests.unit.test_apply_lease import keeper
from rollout.errors import RolloutError
mine = keeper(Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
try:
    taken = mine.take(f"run of {os.getpid()}")
    print("won", "over" if taken.before else "free", flush=True)
    sys.stdin.readline()
except RolloutError as error:
    print("lost", flush=True)
"""


def racers(folder: Path, homes: list[str]) -> list[subprocess.Popen[str]]:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, folder, home],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for home in homes
    ]
    for racer in started:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    return started


def race(started: list[subprocess.Popen[str]]) -> list[str]:
    for racer in started:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return [racer.stdout.readline().strip() for racer in started if racer.stdout]


def test_of_racing_processes_exactly_one_wins(folder: Path) -> None:
    started = racers(folder, [f"home{number}" for number in range(4)])
    results = race(started)
    for racer in started:
        racer.communicate("")
    assert sorted(results) == ["lost", "lost", "lost", "won free"]


def test_a_dead_run_of_this_control_node_is_taken_over_by_exactly_one(folder: Path) -> None:
    (victim,) = racers(folder, ["home"])
    assert race([victim]) == ["won free"]
    with pytest.raises(HeldError):
        keeper(folder).take("too early")
    victim.kill()
    victim.wait()
    with pytest.raises(HeldError):
        keeper(folder, "another control node").take("not mine to judge")
    started = racers(folder, ["home", "home", "home"])
    results = race(started)
    for racer in started:
        racer.communicate("")
    assert sorted(results) == ["lost", "lost", "won over"]


def test_a_run_that_lost_its_lease_is_stopped(folder: Path) -> None:
    mine = keeper(folder)
    mine.take("run-1")
    mine.check("run-1")
    assert keeper(folder, "other").remove()
    with pytest.raises(ApplyError, match="was unlocked"):
        mine.check("run-1")
    keeper(folder, "other").take("run-2")
    with pytest.raises(ApplyError, match="run-2"):
        mine.check("run-1")
    assert not mine.release("run-1")


def test_an_unreadable_lease_keeps_the_site_locked_until_a_person_removes_it(folder: Path) -> None:
    folder.mkdir()
    (folder / "lease.json").write_text('{"run": ')
    with pytest.raises(HeldError, match="unreadable"):
        keeper(folder).take("run-1")
    assert keeper(folder).remove()
    keeper(folder).take("run-1")


def test_a_restarted_machine_leaves_a_dead_holder() -> None:
    lease = Lease(
        site="yulin",
        run="r",
        from_host=processes.machine(),
        node="n",
        pid=processes.me().pid,
        pid_start="another-boot:1",
    )
    assert lease.of_the_dead("n")
    assert not lease.of_the_dead("m")
    assert not lease.model_copy(update={"from_host": "elsewhere"}).of_the_dead("n")
    json.loads(lease.model_dump_json())
