"""Where a drill halts a run."""

import threading
import time
from pathlib import Path

import pytest

from rollout.apply import killpoint


def test_it_waits_once_until_the_file_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "halted"
    monkeypatch.setenv(killpoint.PAUSE, "etcd:during")
    monkeypatch.setenv(killpoint.PAUSE_FILE, str(mark))
    killpoint.reached("nanning", "etcd", "before")
    assert not mark.exists()
    run = threading.Thread(target=killpoint.reached, args=("nanning", "etcd", "during"))
    run.start()
    while not mark.exists():
        time.sleep(0.01)
    assert run.is_alive()
    mark.unlink()
    run.join(5)
    assert not run.is_alive()
    killpoint.reached("nanning", "etcd", "during")
    assert not mark.exists()
