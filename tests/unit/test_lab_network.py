"""Names, addresses and network files of the lab."""

from ipaddress import IPv4Address, IPv4Network

import pytest

from rollout.errors import ConfigurationError
from rollout.lab.network import bridge_name, check_network, gateway, network_file

NET = IPv4Network("198.19.250.0/24")


def test_a_bridge_is_named_after_its_site() -> None:
    assert bridge_name("nanning") == "rl-nanning"


def test_a_long_site_name_still_fits_an_interface_and_stays_its_own() -> None:
    names = {bridge_name("fangchenggangshi"), bridge_name("fangchenggangxian"), bridge_name("a" * 13)}
    assert len(names) == 3
    assert all(len(name) <= 15 and name.startswith("rl-") for name in names)


def test_the_gateway_is_the_first_address() -> None:
    assert gateway(NET) == IPv4Address("198.19.250.1")


def test_a_host_gets_its_address_a_route_to_the_lab_and_no_default_route() -> None:
    text = network_file(IPv4Address("198.19.250.11"), NET)
    assert "Address=198.19.250.11/24\n" in text
    assert "Destination=198.18.0.0/15\nGateway=198.19.250.1\n" in text
    assert text.count("Gateway=") == 1
    assert "DHCP" not in text


@pytest.mark.parametrize("network", ["10.0.0.0/24", "198.20.0.0/24", "198.16.0.0/14", "192.168.1.0/24"])
def test_networks_outside_the_test_block_are_refused(network: str) -> None:
    with pytest.raises(ConfigurationError, match=r"site x: .* is not inside 198\.18\.0\.0/15"):
        check_network("x", IPv4Network(network), [])


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("198.19.251.11", "is not in the network"),
        ("198.19.250.1", "is taken"),
        ("198.19.250.0", "is taken"),
        ("198.19.250.255", "is taken"),
    ],
)
def test_addresses_that_cannot_be_a_hosts_are_refused(address: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=f"host x-a: {address} {complaint}"):
        check_network("x", NET, [("x-a", IPv4Address(address))])
