"""One site of the lab: its hosts on one bridge, saved and put back together."""

import json
import re
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from rollout.errors import ConfigurationError
from rollout.lab import identity, network, rootfs
from rollout.lab.claim import Claim
from rollout.lab.host import LabHost
from rollout.lab.parallel import Progress, quiet, together
from rollout.lab.record import RUN, Record, write_whole
from rollout.lab.shell import LabError
from rollout.paths import Home

BARE = "bare"
_STATE = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_SUFFIX = re.compile(r"[a-z0-9]{1,8}")


class LabSite:
    """A site that stands, or stood, on this machine."""

    def __init__(self, home: Home, name: str, net: IPv4Network, progress: Progress = quiet) -> None:
        self.home = home
        self.name = name
        self.network = net
        self.progress = progress
        self.folder = home.root / "lab" / "sites" / name

    @property
    def hosts(self) -> dict[str, LabHost]:
        """Every complete host of the site, by name."""
        found = sorted(self.folder.glob("hosts/*/host.json"))
        return {path.parent.name: LabHost(self.home, self.name, path.parent) for path in found}

    @property
    def standing(self) -> bool:
        """Whether a host of the site runs."""
        return any(host.running for host in [*self.hosts.values(), *self._lost()])

    def create_host(self, name: str, address: IPv4Address) -> LabHost:
        """Makes the host's identity and empty disk if it has none; a known host keeps its address."""
        network.check_network(self.name, self.network, [(name, address)])
        prefix, _, suffix = name.partition("-")
        if prefix != self.name or not _SUFFIX.fullmatch(suffix):
            raise ConfigurationError(
                f"{name!r} cannot be a host of site {self.name}",
                f"Name it {self.name}-x, with x of a-z and 0-9.",
            )
        folder = self.folder / "hosts" / name
        if not (folder / "host.json").exists():
            base = rootfs.ensure(lambda what: self.progress("lab", what))
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            identity.create(folder / "identity", name, address, self.network)
            Record(name, address, self.network, str(base), []).write(folder)
        host = LabHost(self.home, self.name, folder)
        self._check_unchanged(host, address)
        return host

    def open(self) -> None:
        """Claims the site for this home and opens its network; hosts that lost their disk are ended first."""
        claim = Claim.read(self.name)
        if claim and claim.home != self.home.root and self._stands_elsewhere(claim):
            raise ConfigurationError(
                f"site {self.name} already stands for the home {claim.home}",
                f"Take it down there: ROLLOUT_HOME={claim.home} rollout lab down --site {self.name}",
            )
        together(self._lost(), LabHost.cut_power)
        Claim(self.home.root, self.network).write(self.name)
        network.open_network(self.name, self.network)

    def start(self, host: LabHost) -> None:
        """Starts one host of an open site and waits until the control node can log in to it."""
        self.progress(host.name, "starting")
        host.start()
        host.trust()
        host.install_key()
        if host.link_cut:
            self.progress(host.name, "up, its network cable is cut")
            return
        self.progress(host.name, "booting")
        host.wait_ssh()
        self.progress(host.name, f"up at {host.address}")

    def stop(self, host: LabHost) -> None:
        """Shuts one host down."""
        self.progress(host.name, "stopping")
        host.stop()
        self.progress(host.name, "down")

    def close(self) -> None:
        """Takes the network of a stopped site away, and everything of it that ends with a boot."""
        together(self._lost(), LabHost.cut_power)
        network.close_network(self.name)
        shutil.rmtree(RUN / self.name, ignore_errors=True)

    def delete(self) -> None:
        """Forgets a closed site: disks, saved states, keys."""
        for host in self.hosts.values():
            host.forget()
        shutil.rmtree(self.folder, ignore_errors=True)

    def saved(self) -> dict[str, dict[str, list[int]]]:
        """Every saved name with the disk stack of each host; ``bare`` is the state of delivery."""
        found: dict[str, dict[str, list[int]]] = {BARE: {name: [] for name in self.hosts}}
        for path in sorted(self.folder.glob("saved/*.json")):
            found[path.stem] = json.loads(path.read_text(encoding="utf-8"))["hosts"]
        return found

    def save(self, name: str = "saved") -> None:
        """Freezes the disks of all hosts under ``name``; hosts that ran run again when it returns."""
        if not _STATE.fullmatch(name) or name == BARE:
            raise ConfigurationError(
                f"{name!r} cannot be the name of a saved state",
                f"Use up to 40 of a-z, 0-9, '.', '_', '-'; {BARE!r} is always the state of delivery.",
            )
        hosts = list(self.hosts.values())
        ran = [host for host in hosts if host.running]
        together(ran, self.stop)
        stacks = {host.name: host.disk.freeze() for host in hosts}
        (self.folder / "saved").mkdir(exist_ok=True)
        taken_at = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({"taken_at": taken_at, "hosts": stacks}, indent=1)
        write_whole(self.folder / "saved" / f"{name}.json", text + "\n")
        self._collect()
        self._run_again(ran)

    def restore(self, name: str = "saved") -> None:
        """Puts the disks of all hosts back to ``name``, plugs their cables in and starts them."""
        saved = self.saved()
        if name not in saved:
            raise ConfigurationError(
                f"site {self.name} has no saved state {name!r}", f"It has: {', '.join(saved)}."
            )
        hosts = [host for host in self.hosts.values() if host.name in saved[name]]
        together(hosts, lambda host: self._put_back(host, saved[name][host.name]))
        self._collect()
        self._run_again(hosts)

    def _run_again(self, hosts: Iterable[LabHost]) -> None:
        self.open()
        together(hosts, self.start)

    def _put_back(self, host: LabHost, layers: list[int]) -> None:
        self.progress(host.name, "putting back")
        host.cut_power()
        host.disk.reset(layers)
        host.join_link()

    def _collect(self) -> None:
        saved = self.saved().values()
        for host in self.hosts.values():
            host.disk.collect([stacks[host.name] for stacks in saved if host.name in stacks])

    def _lost(self) -> list[LabHost]:
        """Hosts that still have power although their disk was deleted, with the home or by hand."""
        folders = [self.folder / "hosts" / path.parent.name for path in RUN.glob(f"{self.name}/*/supervisor")]
        return [
            LabHost(self.home, self.name, folder) for folder in folders if not (folder / "host.json").exists()
        ]

    def _stands_elsewhere(self, claim: Claim) -> bool:
        """Whether a host with a disk runs there: a home that was deleted has no use for its hosts."""
        there = LabSite(Home(claim.home), self.name, claim.network)
        return any(host.running for host in there.hosts.values())

    def _check_unchanged(self, host: LabHost, address: IPv4Address) -> None:
        record = host.record
        again = f"Take the site away and start anew: rollout lab down --purge --site {self.name}"
        if (record.address, record.network) != (address, self.network):
            raise ConfigurationError(
                f"host {host.name} was made with {record.address} in {record.network}, "
                f"now it is to have {address} in {self.network}",
                again,
            )
        if not Path(record.base).is_dir():
            raise LabError(f"host {host.name}: the bare root it was made from is gone ({record.base})", again)
