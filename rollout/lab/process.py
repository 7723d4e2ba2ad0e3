"""Processes known by id *and* start time, so that a number used again by somebody else is never signalled."""

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_PROC = Path("/proc")
_GONE = (FileNotFoundError, ProcessLookupError)


def boot_id() -> str:
    """Changes with every boot of this machine: start times are only comparable within one."""
    return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time (clock ticks since boot) of ``pid``; None when there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except _GONE:
        return None
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


@dataclass(frozen=True)
class Process:
    """One process of this boot."""

    pid: int
    start: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The process that has ``pid`` now; None when there is none."""
        stat = _stat(pid)
        return cls(pid, stat[1], boot_id()) if stat else None

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """What ``file`` remembers (``pid start boot``); None when it is missing or cut short."""
        try:
            pid, start, boot = file.read_text(encoding="ascii").split()
            return cls(int(pid), int(start), boot)
        except (FileNotFoundError, ValueError):
            return None

    def write(self, file: Path) -> None:
        """Remembers the process in ``file``."""
        file.write_text(f"{self.pid} {self.start} {self.boot}\n", encoding="ascii")

    @property
    def alive(self) -> bool:
        """Whether exactly this process still runs; a zombie does not."""
        stat = _stat(self.pid)
        return stat is not None and stat[0] not in "ZX" and stat[1] == self.start and self.boot == boot_id()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to exactly this process; nothing happens when it is gone."""
        with contextlib.suppress(ProcessLookupError), self._handle() as handle:
            if self.alive:
                signal.pidfd_send_signal(handle, number)

    def wait(self, seconds: float) -> bool:
        """Waits until the process is gone, at most ``seconds``; whether it is."""
        try:
            with self._handle() as handle:
                if not self.alive:
                    return True
                poll = select.poll()
                poll.register(handle, select.POLLIN)
                return bool(poll.poll(seconds * 1000)) or not self.alive
        except ProcessLookupError:
            return True

    @contextlib.contextmanager
    def _handle(self) -> Iterator[int]:
        handle = os.pidfd_open(self.pid)
        try:
            yield handle
        finally:
            os.close(handle)


def descendants(process: Process) -> list[Process]:
    """Everything that ``process`` started, directly or not, parents first; empty when it is gone."""
    found = []
    for pid in _children(process.pid) if process.alive else []:
        child = Process.of(pid)
        if child:
            found += [child, *descendants(child)]
    return found


def container_init(supervisor: Process) -> Process | None:
    """Process number 1 of the container under ``supervisor``; None until it is there."""
    for pid in _children(supervisor.pid):
        if _is_init(pid):
            return Process.of(pid)
        for grandchild in _children(pid):
            if _is_init(grandchild):
                return Process.of(grandchild)
    return None


def _children(pid: int) -> list[int]:
    try:
        text = (_PROC / str(pid) / "task" / str(pid) / "children").read_text(encoding="ascii")
    except _GONE:
        return []
    return [int(child) for child in text.split()]


def _is_init(pid: int) -> bool:
    """Whether ``pid`` is number 1 of a namespace and no longer systemd-nspawn preparing to be it."""
    try:
        text = (_PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except _GONE:
        return False
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    return status["NSpid"].split()[-1] == "1" and status["Name"] != "systemd-nspawn"
