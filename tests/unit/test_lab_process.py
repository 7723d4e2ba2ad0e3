"""A process is its number and its start time: a number used again is somebody else."""

import dataclasses
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout.lab.process import Process, descendants


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as running:
        yield running
        running.kill()


def known(child: subprocess.Popen[bytes]) -> Process:
    process = Process.of(child.pid)
    assert process
    return process


def test_it_is_remembered_on_disk(child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    known(child).write(tmp_path / "p")
    assert Process.read(tmp_path / "p") == known(child)
    assert known(child).alive


@pytest.mark.parametrize("text", ["", "12", "12 abc x", "1 2 3 4"])
def test_a_file_cut_short_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "p").write_text(text)
    assert Process.read(tmp_path / "p") is None
    assert Process.read(tmp_path / "missing") is None


def test_a_number_used_again_is_never_signalled(child: subprocess.Popen[bytes]) -> None:
    now = known(child)
    for stale in (dataclasses.replace(now, start=1), dataclasses.replace(now, boot="an earlier boot")):
        assert not stale.alive
        stale.signal(signal.SIGKILL)
        assert stale.wait(0)
    assert child.poll() is None


def test_a_zombie_is_not_alive(child: subprocess.Popen[bytes]) -> None:
    process = known(child)
    process.signal(signal.SIGKILL)
    assert process.wait(5)
    assert not process.alive


def test_a_process_that_is_gone_can_be_signalled_and_waited_for() -> None:
    with subprocess.Popen(["true"]) as short:
        process = known(short)
    process.signal(signal.SIGKILL)
    assert process.wait(0)
    assert descendants(process) == []


def test_waiting_has_an_end(child: subprocess.Popen[bytes]) -> None:
    assert not known(child).wait(0.05)


def test_descendants_are_found_parents_first() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo; wait"], stdout=subprocess.PIPE) as shell:
        assert shell.stdout
        shell.stdout.readline()
        below = descendants(known(shell))
        assert len(below) == 1
        below[0].signal(signal.SIGKILL)
