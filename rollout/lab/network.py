"""The lab's networks: one bridge per site, forwarding between sites, and no way out."""

import hashlib
import json
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from rollout.errors import ConfigurationError
from rollout.lab.shell import LabError, command

# RFC 2544 reserves this block for test networks: it is never routed, so it collides with nothing real.
LAB = IPv4Network("198.18.0.0/15")

_PREFIX = "rl-"
_LONGEST_NAME = 15

_FIREWALL = f"""\
table inet rollout_lab
delete table inet rollout_lab
table inet rollout_lab {{
  chain forward {{
    type filter hook forward priority -10; policy accept;
    iifname "{_PREFIX}*" oifname "{_PREFIX}*" ip saddr {LAB} ip daddr {LAB} accept
    iifname "{_PREFIX}*" drop
    oifname "{_PREFIX}*" drop
  }}
  chain input {{
    type filter hook input priority -10; policy accept;
    iifname "{_PREFIX}*" ip saddr {LAB} ip daddr {LAB} accept
    iifname "{_PREFIX}*" drop
  }}
}}
"""


def bridge_name(site: str) -> str:
    """The interface of a site: ``rl-<site>``; a digest shortens it to the kernel's 15 bytes."""
    name = _PREFIX + site
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(site.encode()).hexdigest()[:5]
    return f"{name[: _LONGEST_NAME - 6]}-{digest}"


def gateway(network: IPv4Network) -> IPv4Address:
    """The control node's own address on a site's bridge: the first of the network."""
    return network.network_address + 1


def check_network(site: str, network: IPv4Network, addresses: Iterable[tuple[str, IPv4Address]]) -> None:
    """Refuses a network outside the lab's block, and a host outside the network or at the gateway."""
    if not network.subnet_of(LAB):
        raise ConfigurationError(
            f"site {site}: {network} is not inside {LAB}", f"The lab only takes addresses of {LAB}."
        )
    for host, address in addresses:
        if address not in network:
            raise ConfigurationError(f"host {host}: {address} is not in the network {network} of site {site}")
        if address in {gateway(network), network.network_address, network.broadcast_address}:
            raise ConfigurationError(
                f"host {host}: {address} is taken", f"{gateway(network)} belongs to the control node."
            )


def network_file(address: IPv4Address, network: IPv4Network) -> str:
    """What systemd-networkd in the host reads: a fixed address, the other sites, and no default route."""
    return f"""\
[Match]
Name=host0

[Network]
Address={address}/{network.prefixlen}
LinkLocalAddressing=no
IPv6AcceptRA=no

[Route]
Destination={LAB}
Gateway={gateway(network)}
"""


def open_network(site: str, network: IPv4Network) -> str:
    """Creates what is missing of the site's bridge and of the firewall; returns the bridge's name."""
    name = bridge_name(site)
    _refuse_overlap(name, network)
    command(["nft", "-f", "-"], stdin=_FIREWALL)
    if not _link_exists(name):
        # A fixed hardware address: a bridge otherwise takes the lowest of its ports', which changes as hosts
        # come and go, and the others' ARP caches with it.
        digest = hashlib.sha256(site.encode()).hexdigest()
        mac = "02:" + ":".join(digest[i : i + 2] for i in range(0, 10, 2))
        command(
            [
                "ip",
                "link",
                "add",
                name,
                "address",
                mac,
                "type",
                "bridge",
                "stp_state",
                "0",
                "forward_delay",
                "0",
            ]
        )
    _sysctl(f"net/ipv6/conf/{name}/disable_ipv6", "1")
    command(["ip", "address", "replace", f"{gateway(network)}/{network.prefixlen}", "dev", name])
    command(["ip", "link", "set", name, "up"])
    # Per interface: the machine as a whole does not become a router.
    _sysctl(f"net/ipv4/conf/{name}/forwarding", "1")
    return name


def close_network(site: str) -> None:
    """Removes the site's bridge, and the firewall with the last one."""
    name = bridge_name(site)
    if _link_exists(name):
        command(["ip", "link", "delete", name])
    if not any(Path("/sys/class/net").glob(f"{_PREFIX}*")):
        command(["nft", "delete", "table", "inet", "rollout_lab"], check=False)


def detach(port: str) -> None:
    """Takes a host's cable out of the bridge; the host itself sees no change of its link."""
    command(["ip", "link", "set", port, "nomaster", "up"])


def attach(port: str, bridge: str) -> None:
    """Puts a host's cable into the bridge."""
    command(["ip", "link", "set", port, "master", bridge, "up"])


def port_of(init_pid: int) -> str:
    """The name, on this machine, of the other end of the host's ``host0``."""
    shown = command(["nsenter", "-t", str(init_pid), "-n", "ip", "-j", "link", "show", "dev", "host0"])
    index = json.loads(shown.stdout)[0]["link_index"]
    for link in json.loads(command(["ip", "-j", "link", "show"]).stdout):
        if link["ifindex"] == index:
            return str(link["ifname"])
    raise LabError(f"process {init_pid}: the network cable has no end on this machine")


def _link_exists(name: str) -> bool:
    return (Path("/sys/class/net") / name).exists()


def _sysctl(name: str, value: str) -> None:
    path = Path("/proc/sys") / name
    if path.exists():
        path.write_text(value, encoding="ascii")


def _refuse_overlap(bridge: str, network: IPv4Network) -> None:
    for link in json.loads(command(["ip", "-j", "-4", "address", "show"]).stdout):
        for entry in link.get("addr_info", []):
            there = IPv4Network(f"{entry['local']}/{entry['prefixlen']}", strict=False)
            if link.get("ifname") not in {None, bridge} and there.overlaps(network):
                raise ConfigurationError(
                    f"{network} overlaps {there} of the interface {link['ifname']} on this machine",
                    "Give the site another network, or take the other one down (rollout lab status).",
                )
