"""One host of the lab: power, cable, disk, shell."""

import shlex
import subprocess
import time
from collections.abc import Sequence
from ipaddress import IPv4Address
from pathlib import Path

from rollout import known_hosts
from rollout.errors import UnreachableError
from rollout.lab import access, cgroup, identity, network
from rollout.lab.disk import Disk
from rollout.lab.nspawn import CUT_MARK
from rollout.lab.power import Power
from rollout.lab.record import RUN, Record
from rollout.lab.shell import LabError
from rollout.paths import Home

_BOOT_SECONDS = 60.0


class LabHost:
    """A Debian host. Everything here works without the host's network, unless it says otherwise."""

    def __init__(self, home: Home, site: str, folder: Path) -> None:
        self.home = home
        self.site = site
        self.folder = folder
        self.name = folder.name
        self.disk = Disk(folder)
        self._power = Power(self.name, RUN / site / self.name)
        self._cut_mark = folder / CUT_MARK

    @property
    def record(self) -> Record:
        """The host's record as it stands on disk now."""
        return Record.read(self.folder)

    @property
    def address(self) -> IPv4Address:
        """The host's only address."""
        return self.record.address

    @property
    def running(self) -> bool:
        """Whether the host has power."""
        return self._power.on

    @property
    def link_cut(self) -> bool:
        """Whether the host's network cable is unplugged; that outlives a restart."""
        return self._cut_mark.exists()

    @property
    def memory_bytes(self) -> int | None:
        """Memory the host uses now, page cache included; None when this machine does not say."""
        return cgroup.memory_bytes(self.name) if self.running else None

    def start(self) -> None:
        """Gives the host power and returns when its first process runs; a running host stays as it is."""
        with self._power.hand():
            if not (self._power.supervisor and self._power.init):
                self._power.kill()
                self.disk.prepare()
                try:
                    self._power.switch_on(self.folder, self.record, network.bridge_name(self.site))
                except LabError as error:
                    raise LabError(error.message, self.last_words()) from error
            self._plug()

    def stop(self) -> None:
        """Shuts the host down in order; cuts its power when it takes longer than two minutes."""
        with self._power.hand():
            self._power.shut_down()

    def restart(self) -> None:
        """Shuts down and starts again."""
        self.stop()
        self.start()

    def cut_power(self) -> None:
        """Ends every process of the host at once, without any chance to finish."""
        with self._power.hand():
            self._power.kill()

    def cut_link(self) -> None:
        """Unplugs the network cable at the switch, both directions."""
        self._cut_mark.touch()
        self._plug()

    def join_link(self) -> None:
        """Plugs the network cable in again."""
        self._cut_mark.unlink(missing_ok=True)
        self._plug()

    def run(
        self,
        script: str | Sequence[str],
        *,
        check: bool = True,
        stdin: str | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a shell script, or an argument list, as root in the host.

        A status other than 0 raises LabError unless ``check`` is false; it is 124 after ``timeout`` seconds.
        """
        init = self._power.init
        if not init:
            raise LabError(f"host {self.name} is not running", "Start it first.")
        argv = ["/bin/sh", "-c", script] if isinstance(script, str) else list(script)
        done = access.enter(init.pid, argv, stdin, timeout)
        if check and done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
            raise LabError(f"{self.name}: {shlex.join(argv)} ended with {done.returncode}", "\n  ".join(said))
        return done

    def write_file(self, path: str, text: str, *, mode: int = 0o644, owner: str = "root:root") -> None:
        """Writes a file in the host, whole; missing parent folders are made."""
        self.run(access.write_script(path, mode, owner), stdin=text)

    def install_key(self) -> None:
        """Lets the control node of this home in: its present key replaces an earlier one."""
        self.run(access.key_script(identity.control_key(self.home)))

    def trust(self) -> None:
        """Writes the host's key to the lab's and the home's known_hosts, under its name and its address."""
        self._remember(identity.host_key(self.folder / "identity"))

    def forget(self) -> None:
        """Takes the host's key out of the known_hosts files."""
        self._remember(None)

    def ssh(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """One command over ssh, over the host's network, as the user it is delivered with."""
        return access.ssh(self.home, self.address, argv)

    def answers(self) -> bool:
        """Whether an ssh server speaks at the host's address."""
        return access.answers(self.address)

    def wait_ssh(self, timeout: float = _BOOT_SECONDS) -> None:
        """Waits until the control node can log in; raises UnreachableError with the host's last words."""
        deadline = time.monotonic() + timeout
        said = "no ssh server answers"
        while time.monotonic() < deadline:
            if not self.running:
                said = "the host has stopped"
                break
            if self.answers():
                done = self.ssh("true")
                if done.returncode == 0:
                    return
                said = done.stderr.strip()
            time.sleep(0.1)
        raise UnreachableError(f"host {self.name} ({self.address}): {said}", self.last_words())

    def last_words(self, lines: int = 12) -> str:
        """The end of the host's console."""
        log = self.folder / "console.log"
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        tail = [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]
        return "\n  ".join([f"{log} ends with:", *tail])

    def _plug(self) -> None:
        """Puts the cable of a running host where its mark says: into the bridge, or nowhere."""
        init = self._power.init
        if init and self.link_cut:
            network.detach(network.port_of(init.pid))
        elif init:
            network.attach(network.port_of(init.pid), network.bridge_name(self.site))

    def _remember(self, key: str | None) -> None:
        for file in (self.home.root / "lab" / "known_hosts", self.home.known_hosts):
            known_hosts.remember(file, [self.name, str(self.address)], key)
