"""Runs that are killed or told to stop, in processes of their own; the next apply goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rollout.apply.journal import opened
from rollout.apply.killpoint import KILL
from rollout.apply.record import load_record
from rollout.errors import Exit, HeldError
from tests.unit.test_apply_support import World, yes


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def start(world: World, how: str = "pretended", kill_at: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.test_apply_support", world.folder, how],
        env={**os.environ, KILL: kill_at},
        stderr=subprocess.PIPE,
    )


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


@pytest.mark.parametrize(
    "point",
    [
        "push depot:before",
        "one:before",
        "one:during",
        "hezhou/one:after",
        "two:during",
        "audit:before",
        "audit:after",
        "record:before",
        "record:after",
    ],
)
def test_killed_anywhere_the_next_apply_finishes(world: World, point: str) -> None:
    run = start(world, kill_at=point)
    run.communicate()
    assert run.returncode == -signal.SIGKILL
    lease = json.loads(world.lease().read_text())
    assert lease["pid"] == run.pid
    assert world.applicant().apply(world.all_sites, yes).exit is Exit.OK
    said = world.output.getvalue()
    assert f"run {lease['run']} by" in said
    assert "took over the lease" in said
    record = load_record(world.home, "hezhou")
    assert record is not None
    with opened(world.home.journal) as journal:
        last = journal.last("hezhou")
        assert last is not None
        assert (last.outcome, record.run) == ("done", last.id)
        killed = journal.run(lease["run"])
        assert killed is not None
        assert killed.outcome == "killed"
        assert journal.unfinished("hezhou") == []
        step = point.rpartition("/")[2].partition(":")[0]
        ends = journal.steps(killed.id)[-1]
        assert (ends.name, ends.outcome) == (step, "done" if point.endswith("after") else None)
    assert not world.lease().exists()


def test_killed_while_ansible_works_the_orphan_is_ended_first(world: World) -> None:
    world.nap(300)
    run = start(world, "real", "one:during")
    run.communicate()
    assert run.returncode == -signal.SIGKILL
    world.nap(0)
    world.real = True
    assert world.applicant().apply(world.all_sites, yes).exit is Exit.OK
    said = world.output.getvalue()
    assert "(SIGTERM)" in said
    assert "rollout.apply.child" in said
    with opened(world.home.journal) as journal:
        assert journal.open_children("hezhou") == []


def test_told_to_stop_it_ends_its_child_says_so_and_gives_the_lease_back(world: World) -> None:
    world.nap(300)
    run = start(world, "real")
    until((world.folder / "out" / "hezhou-b").exists)
    with pytest.raises(HeldError, match="is running apply there"):
        world.applicant().apply(world.all_sites, yes)
    run.send_signal(signal.SIGTERM)
    error = run.communicate(timeout=60)[1].decode()
    assert "stopped on request" in error
    assert not world.lease().exists()
    with opened(world.home.journal) as journal:
        last = journal.last("hezhou")
        assert last is not None
        assert (last.outcome, journal.steps(last.id)[-1].outcome) == ("stopped", "stopped")
        assert journal.open_children("hezhou") == []
