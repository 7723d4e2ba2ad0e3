"""The lab as a whole: the sites of an inventory as booted hosts on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from rollout.errors import ConfigurationError
from rollout.inventory import Inventory
from rollout.lab import identity, kernel, lock, network, requirements, rootfs
from rollout.lab.claim import Claim, claimed_by
from rollout.lab.host import LabHost
from rollout.lab.parallel import Progress, quiet, together
from rollout.lab.record import Record
from rollout.lab.site import LabSite
from rollout.paths import Home

# Each site starts its own hosts side by side.
_SITES_AT_ONCE = 2


@dataclass(frozen=True)
class HostStatus:
    """How one host stands."""

    site: str
    host: str
    address: str
    running: bool
    answers: bool
    link_cut: bool
    memory_bytes: int | None


class Lab:
    """Sites of ``inventory`` with their state in ``home``; ``progress`` is told what each host is doing."""

    def __init__(self, home: Home, inventory: Inventory | None = None, progress: Progress = quiet) -> None:
        self.home = home
        self.inventory = inventory
        self.progress = progress
        self._sites = home.root / "lab" / "sites"

    def up(self, sites: Sequence[str]) -> None:
        """Brings the sites up and waits until every host of theirs can be logged in to; what stands stays."""
        requirements.require()
        wanted = [self._planned(name) for name in sites]
        requirements.check_home(self.home.root)
        with lock.hold(list(sites)):
            identity.control_key(self.home)
            kernel.raise_limits()
            rootfs.ensure(lambda what: self.progress("lab", what))
            for site, hosts in wanted:
                site.open()
                for name, address in hosts:
                    site.create_host(name, address)
            every = [(site, host) for site, _ in wanted for host in site.hosts.values()]
            together(every, lambda pair: pair[0].start(pair[1]))

    def down(self, sites: Sequence[str], *, purge: bool = False) -> None:
        """Shuts the sites down; ``purge`` also deletes their disks and saved states."""
        requirements.require()
        found = [self.site(name) for name in sites]
        with lock.hold(list(sites)):
            every = [(site, host) for site in found for host in site.hosts.values()]
            together(every, lambda pair: pair[0].stop(pair[1]))
            for site in found:
                site.close()
                if purge:
                    site.delete()

    def destroy(self, sites: Sequence[str]) -> None:
        """Shuts the sites down and deletes everything of them."""
        self.down(sites, purge=True)

    def save(self, sites: Sequence[str], name: str = "saved") -> None:
        """Freezes the disks of the sites under ``name``: seconds, whatever their size."""
        requirements.require()
        with lock.hold(list(sites)):
            together([self.site(site) for site in sites], lambda site: site.save(name), _SITES_AT_ONCE)

    def restore(self, sites: Sequence[str], name: str = "saved") -> None:
        """Puts the sites back to what was saved under ``name``, and up."""
        requirements.require()
        with lock.hold(list(sites)):
            together([self.site(site) for site in sites], lambda site: site.restore(name), _SITES_AT_ONCE)

    def add_host(self, site: str, name: str, address: IPv4Address) -> LabHost:
        """One more bare host on a site's bridge, up when it returns."""
        place = self.site(site)
        with lock.hold([site]):
            place.open()
            host = place.create_host(name, address)
            place.start(host)
        return host

    def site(self, name: str) -> LabSite:
        """A site that was brought up before; raises ConfigurationError for another."""
        records = sorted((self._sites / name).glob("hosts/*/host.json"))
        claim = Claim.read(name)
        if records:
            return self._site(name, Record.read(records[0].parent).network)
        if claim and claim.home == self.home.root:
            return self._site(name, claim.network)
        known = self.known()
        raise ConfigurationError(
            f"the lab has no site {name}",
            f"It has: {', '.join(known)}." if known else "Bring one up: rollout lab up",
        )

    def host(self, name: str) -> LabHost:
        """A host of any site that was brought up before; raises ConfigurationError for another."""
        site = name.partition("-")[0]
        host = self.site(site).hosts.get(name) if site in self.known() else None
        if not host:
            raise ConfigurationError(f"the lab has no host {name}", "See rollout lab status.")
        return host

    def known(self) -> list[str]:
        """The sites that were brought up for this home and not purged."""
        return sorted({path.parents[2].name for path in self._sites.glob("*/hosts/*/host.json")}
                      | set(claimed_by(self.home.root)))  # fmt: skip

    def standing(self) -> list[str]:
        """The sites of which a host runs."""
        return [name for name in self.known() if self.site(name).standing]

    def status(self, sites: Sequence[str] | None = None) -> list[HostStatus]:
        """Every host of the sites (of every known one)."""
        names = self.known() if sites is None else sites
        return together([host for name in names for host in self.site(name).hosts.values()], _status)

    def _site(self, name: str, net: IPv4Network) -> LabSite:
        return LabSite(self.home, name, net, self.progress)

    def _planned(self, name: str) -> tuple[LabSite, list[tuple[str, IPv4Address]]]:
        sites = self.inventory.sites if self.inventory else {}
        if name not in sites:
            raise ConfigurationError(
                f"the inventory has no site {name}", f"It has: {', '.join(sites) or 'none'}."
            )
        site = sites[name]
        hosts = [(host.name, host.address) for host in site.hosts.values()]
        network.check_network(name, site.network, hosts)
        return self._site(name, site.network), hosts


def _status(host: LabHost) -> HostStatus:
    return HostStatus(
        site=host.site,
        host=host.name,
        address=str(host.address),
        running=host.running,
        answers=host.running and not host.link_cut and host.answers(),
        link_cut=host.link_cut,
        memory_bytes=host.memory_bytes,
    )
