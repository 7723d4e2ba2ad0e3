"""The power switch of a host: which processes it is, how they begin and how they end."""

import fcntl
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rollout.lab import cgroup, nspawn
from rollout.lab.process import Process, container_init, descendants
from rollout.lab.record import Record
from rollout.lab.shell import LabError

_START_SECONDS = 60.0
# systemd gives a service 90 seconds to end before it kills it.
_STOP_SECONDS = 120.0
_KILL_SECONDS = 20.0


class Power:
    """Host ``name``; what is known of its processes is in ``run`` and ends with a boot of this machine."""

    def __init__(self, name: str, run: Path) -> None:
        self.name = name
        self._run = run

    @property
    def supervisor(self) -> Process | None:
        """The process that stands for the host on this machine; None without power."""
        process = Process.read(self._run / "supervisor")
        return process if process and process.alive else None

    @property
    def init(self) -> Process | None:
        """The host's first process.

        It changes when the host reboots itself; the one written down counts only without a supervisor.
        """
        supervisor = self.supervisor
        if supervisor:
            return container_init(supervisor)
        process = Process.read(self._run / "init")
        return process if process and process.alive else None

    @property
    def on(self) -> bool:
        """Whether anything of the host runs."""
        return self.supervisor is not None or self.init is not None

    @contextmanager
    def hand(self) -> Iterator[None]:
        """One hand on the switch at a time."""
        self._run.mkdir(parents=True, exist_ok=True)
        with (self._run / "switch.lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def switch_on(self, folder: Path, record: Record, bridge: str) -> None:
        """Starts the host whose disk is in ``folder``; returns when its first process runs."""
        nspawn.launch(folder, self._run, record, bridge)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            begun = Process.read(self._run / "supervisor")
            init = container_init(begun) if begun else None
            if init:
                init.write(self._run / "init")
                return
            if begun and not begun.alive:
                raise LabError(f"host {self.name} did not start")
            time.sleep(0.02)
        self.kill()
        raise LabError(f"host {self.name} did not start within {_START_SECONDS:.0f} s")

    def shut_down(self) -> None:
        """Lets the host end its services in order, for as long as systemd would; then cuts the power."""
        supervisor = self.supervisor
        if supervisor:
            supervisor.signal(signal.SIGTERM)
            supervisor.wait(_STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kills the host's first process, which takes all others with it; the supervisor follows by itself.

        The supervisor may be between two of them, in a reboot: so this looks again until it is gone.
        """
        supervisor = self.supervisor
        deadline = time.monotonic() + _KILL_SECONDS
        while supervisor and time.monotonic() < deadline:
            self._end(self.init)
            if supervisor.wait(0.2):
                break
        left = [supervisor, *descendants(supervisor)] if supervisor else []
        for process in [*left, self.init]:
            self._end(process)
        cgroup.remove(self.name)
        for file in ("supervisor", "init"):
            (self._run / file).unlink(missing_ok=True)

    def _end(self, process: Process | None) -> None:
        if not process:
            return
        process.signal(signal.SIGKILL)
        if not process.wait(_KILL_SECONDS):
            raise LabError(f"host {self.name}: process {process.pid} cannot be ended")
