"""Processes by an identity that cannot be mistaken: a pid alone may be somebody else's by now."""

import getpass
import os
import socket
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_START_FIELD = 19  # of /proc/PID/stat, counted after the command's closing parenthesis: start time


@dataclass(frozen=True)
class Process:
    """A pid with the moment it started: boot id and clock ticks since then."""

    pid: int
    start: str

    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return start_of(self.pid) == self.start


def start_of(pid: int) -> str | None:
    """When ``pid`` started, as ``<boot id>:<ticks>``; None if it does not run."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in {"Z", "X"}:
        return None
    return f"{_boot()}:{fields[_START_FIELD]}"


def me() -> Process:
    """This process."""
    return of(os.getpid())


def of(pid: int) -> Process:
    """The process that has ``pid`` now."""
    return Process(pid, start_of(pid) or "gone")


def marked(variable: str) -> dict[Process, str]:
    """Every process with ``variable`` in its environment, and the value it has there."""
    found = {}
    prefix = f"{variable}=".encode()
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        start = start_of(int(entry.name))
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # ended, or another user's
            continue
        value = next((item[len(prefix) :] for item in environment if item.startswith(prefix)), None)
        if value is not None and start:
            found[Process(int(entry.name), start)] = value.decode(errors="replace")
    return found


def parent_of(process: Process) -> int:
    """The pid above it; 0 if it ended."""
    try:
        return int((_PROC / str(process.pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def command_of(process: Process) -> str:
    """The first words of its command line, for people."""
    try:
        line = (_PROC / str(process.pid) / "cmdline").read_bytes()
    except OSError:
        return "ended"
    return line.replace(b"\0", b" ").decode(errors="replace").strip()[:120]


def person() -> str:
    """Who runs this: the person behind sudo, or the login user."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def machine() -> str:
    """From which machine."""
    return socket.gethostname()


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
