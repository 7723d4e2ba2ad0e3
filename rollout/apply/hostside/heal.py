"""Makes a host fit to be read and changed again after a run was killed in the middle of its work."""

import fcntl
import os
import subprocess
import time
from pathlib import Path
from typing import Any

_POLL = 0.5
_OUTPUT = 4000
# Both are held by apt and dpkg while they work; the kernel drops them when their holder dies.
_LOCKS = ("lock-frontend", "lock")
_CONFIGURE_SECONDS = 900


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Waits for what still works there, then finishes what dpkg left half-done.

    Args:
        question: ``seconds`` to wait at most, and dpkg's folder ``dpkg`` (/var/lib/dpkg).

    Returns:
        ``waited`` for what, ``busy``: what still works when the time is over (nothing was done then),
        ``half_done`` before, ``healed``, and what is ``left`` to be repaired by the packages themselves.
    """
    dpkg = Path(question["dpkg"])
    until = time.monotonic() + question["seconds"]
    waited: set[str] = set()
    while (busy := _leftovers() + _locked(dpkg)) and time.monotonic() < until:
        waited.update(busy)
        time.sleep(_POLL)
    result: dict[str, Any] = {
        "waited": sorted(waited),
        "busy": busy,
        "half_done": "",
        "healed": False,
        "left": "",
    }
    if busy or not dpkg.is_dir():
        return result
    result["half_done"] = half_done(dpkg)
    if result["half_done"]:
        result["log"] = _configure()
        result["left"] = half_done(dpkg)
        result["healed"] = not result["left"]
    return result


def half_done(dpkg: Path) -> str:
    """What dpkg has not finished; empty if nothing."""
    journal = [file.name for file in (dpkg / "updates").glob("*") if file.name.isdigit()]
    if journal:
        return f"dpkg was interrupted: {len(journal)} updates of its status are unwritten"
    audit = subprocess.run(["dpkg", "--audit"], capture_output=True, text=True, check=False)
    return (audit.stdout + audit.stderr).strip()[:_OUTPUT]


def _configure() -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_CONFIGURE_SECONDS,
        check=False,
    )
    return (done.stdout + done.stderr)[-_OUTPUT:]


def _leftovers() -> list[str]:
    """Ansible's modules and package tools that still work here."""
    found = []
    own = _lineage()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in own:
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        name = works(words)
        if name and state not in {"Z", "X"}:
            found.append(f"{name} (process {entry.name})")
    return sorted(found)


def works(words: list[bytes]) -> str:
    """The name of the work that a command line stands for, or nothing."""
    program = words[0].rpartition(b"/")[2]
    if program in {b"dpkg", b"apt-get", b"apt", b"dpkg-deb", b"aptitude"}:
        return program.decode()
    if program.startswith(b"python") and any(b"AnsiballZ_" in word for word in words[1:]):
        word = next(word for word in words[1:] if b"AnsiballZ_" in word)
        module = word.rpartition(b"AnsiballZ_")[2].partition(b".")[0]
        return f"Ansible module {module[:40].decode(errors='replace')}"
    # With pipelining a module comes over standard input; the sudo and the shell around it carry this word.
    return "Ansible module" if any(b"BECOME-SUCCESS-" in word for word in words) else ""


def _lineage() -> set[int]:
    """This process and those above it."""
    pids, pid = set(), os.getpid()
    while pid > 1:
        pids.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pids


def _locked(dpkg: Path) -> list[str]:
    """Locks of dpkg that a living process holds. They are asked about, never removed."""
    held = []
    for name in _LOCKS:
        try:
            descriptor = os.open(dpkg / name, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.append(str(dpkg / name))
        finally:
            os.close(descriptor)
    return held
