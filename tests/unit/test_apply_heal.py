import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rollout.apply import heal as healing
from rollout.apply.hostside import heal
from rollout.errors import ApplyError


@pytest.fixture
def dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dpkg folder, and a `dpkg` that finishes what is half-done in it."""
    folder = tmp_path / "dpkg"
    (folder / "updates").mkdir(parents=True)
    (folder / "lock-frontend").touch()
    (folder / "lock").touch()
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dpkg").write_text(
        f"""#!/bin/sh
case "$*" in
  --audit) cat {folder}/audit 2>/dev/null ;;
  *--configure*) echo "$DEBIAN_FRONTEND $*" >>{folder}/calls; rm -f {folder}/audit {folder}/updates/* ;;
esac
"""
    )
    (programs / "dpkg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(heal, "_leftovers", list)
    return folder


HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "r+")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(3)
"""


def ask(dpkg: Path, seconds: float = 0) -> dict[str, Any]:
    return heal.answer({"seconds": seconds, "dpkg": str(dpkg)})


def test_nothing_half_done_nothing_called(dpkg: Path) -> None:
    answer = ask(dpkg)
    assert (answer["busy"], answer["half_done"], answer["healed"]) == ([], "", False)
    assert not (dpkg / "calls").exists()


@pytest.mark.parametrize("what", ["audit", "updates/0001"])
def test_half_done_is_configured_keeping_our_files(dpkg: Path, what: str) -> None:
    (dpkg / what).write_text("The following packages are only half configured: etcd-server\n")
    answer = ask(dpkg)
    assert answer["healed"]
    assert not answer["left"]
    calls = (dpkg / "calls").read_text()
    assert calls == "noninteractive --force-confdef --force-confold --configure -a\n"


@pytest.mark.parametrize("lock", ["lock", "lock-frontend"])
def test_a_held_lock_is_waited_for_and_never_broken(dpkg: Path, lock: str) -> None:
    (dpkg / "audit").write_text("half configured")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, dpkg / lock], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    busy = ask(dpkg, seconds=0)
    assert busy["busy"] == [str(dpkg / lock)]
    assert not (dpkg / "calls").exists()
    healed = ask(dpkg, seconds=20)
    assert healed["healed"]
    assert healed["waited"] == [str(dpkg / lock)]
    assert (dpkg / lock).exists()
    holder.wait()
    with (dpkg / lock).open("r+") as free:
        fcntl.lockf(free, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"/usr/bin/apt-get\0install\0x", "apt-get"),
        (b"dpkg\0--configure\0-a", "dpkg"),
        (b"/usr/bin/python3\0/root/.ansible/tmp/x/AnsiballZ_apt.py", "Ansible module apt"),
        (b"/bin/sh\0-c\0echo BECOME-SUCCESS-abcdef ; /usr/bin/python3", "Ansible module"),
        (b"/usr/bin/python3\0-m\0http.server", ""),
        (b"vi\0/var/log/dpkg.log", ""),
        (b"", ""),
    ],
)
def test_what_counts_as_work(line: bytes, name: str) -> None:
    assert heal.works(line.split(b"\0")) == name


def test_a_module_that_still_runs_is_waited_for() -> None:
    script = "sleep 1.5; true BECOME-SUCCESS-abcdef"
    with subprocess.Popen(["sh", "-c", script]) as module:
        time.sleep(0.2)
        # Others may run on this machine: an apply has modules of its own.
        named = f"Ansible module (process {module.pid})"
        assert named in heal._leftovers()
    assert named not in heal._leftovers()


def test_work_that_does_not_end_stops_the_apply_and_names_host_and_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = {
        "waited": ["dpkg (process 7)"],
        "busy": ["dpkg (process 7)"],
        "half_done": "",
        "healed": False,
        "left": "",
    }
    monkeypatch.setattr(healing, "ask", lambda *_: answer)
    lines: list[str] = []
    remote: Any = object()
    with pytest.raises(ApplyError, match=r"yulin-a: dpkg \(process 7\)"):
        healing.heal({"yulin-a": remote}, lines.append, wait=1)
    assert lines == ["yulin-a: waited for dpkg (process 7)"]
