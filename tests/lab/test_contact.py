"""Delivered hosts are met by password once, and by key only from then on."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout.acceptance.contact import FactoryHost
from rollout.acceptance.measure import fingerprint
from rollout.acceptance.units import Unit
from rollout.errors import UnreachableError
from rollout.inventory import load
from rollout.paths import Home
from tests.lab.city import HOME, City, write_inventory

SITE, NETWORK = "contactcity", "198.19.6"
PASSWORD = "Sealed-Envelope-17"
# As a supplier leaves a device: root by password, no account of ours, no key.
FACTORY = """
set -e
echo 'root:{password}' | chpasswd
userdel --remove --force rollout || true
rm -f /etc/sudoers.d/*rollout*
echo 'PermitRootLogin yes' > /etc/ssh/sshd_config.d/10-delivered.conf
systemctl restart ssh
"""


@pytest.fixture
def factory(_possible: None) -> Iterator[City]:
    city = City(Home(HOME), write_inventory(HOME / "inventory-contact", SITE, NETWORK), SITE)
    city.rollout("lab", "up", "--site", SITE, "-i", str(city.inventory))
    try:
        sheet(city)
        for letter in "abs":
            city.host(letter).run("sh", stdin=FACTORY.format(password=PASSWORD))
        for name in load(city.inventory).sites[SITE].hosts.values():
            for known in (name.name, str(name.address)):
                command = ["ssh-keygen", "-R", known, "-f", str(city.home.known_hosts)]
                subprocess.run(command, check=False, capture_output=True)
        yield city
    finally:
        city.raze()


def sheet(city: City, **wrong: str) -> None:
    lines = ["delivered: today", "hosts:"]
    for letter, host in load(city.inventory).sites[SITE].hosts.items():
        key = wrong.get(letter) or fingerprint(host)
        lines.append(f'  {host.name}: {{serial: S{letter}, asset: A{letter}, host_key: "{key}"}}')
    (city.inventory / "units").mkdir(exist_ok=True)
    (city.inventory / "units" / f"{SITE}.yml").write_text("\n".join(lines) + "\n")


def test_by_password_once_then_by_key_only(factory: City, tmp_path: Path) -> None:
    city, file = factory, tmp_path / "envelope"
    file.write_text(PASSWORD + "\n")
    call = ("contact", "--site", SITE, "--password-file", str(file))
    # Another device at the address: nothing is sent to it, nothing is changed.
    sheet(city, s=f"SHA256:{'x' * 43}")
    refused = city.rollout(*call, "--dry-run", expect=4)
    assert "the delivery sheet says" in refused.stdout
    sheet(city)
    assert "takes the password" in city.rollout(*call, "--dry-run").stdout
    assert city.host("a").run("id rollout", check=False).returncode != 0
    file.write_text("another\n")
    city.rollout(*call, expect=3)
    # sshd's settings are wrong on one: it stays open by password, and is named.
    file.write_text(PASSWORD + "\n")
    city.host("b").run("echo Nonsense yes > /etc/ssh/sshd_config.d/99-wrong.conf")
    said = city.rollout(*call, expect=4).stdout
    assert f"{SITE}-b" in said
    assert "the password still opens it" in said or "Nonsense" in said
    host = load(city.inventory).sites[SITE].hosts["b"]
    unit = Unit(serial="x", asset="x", host_key=fingerprint(host))
    FactoryHost(host, city.home, unit, PASSWORD).run(["true"])
    city.host("b").run("rm /etc/ssh/sshd_config.d/99-wrong.conf")

    done = city.rollout(*call).stdout
    assert f"{SITE}: done" in done
    for letter in "abs":
        host = load(city.inventory).sites[SITE].hosts[letter]
        unit = Unit(serial="x", asset="x", host_key=fingerprint(host))
        with pytest.raises(UnreachableError):
            FactoryHost(host, city.home, unit, PASSWORD).run(["true"])
    assert f"{SITE}: already" in city.rollout(*call).stdout
    newest = json.loads(city.rollout("journal", "--json").stdout)[0]
    assert (newest["verb"], newest["outcome"]) == ("contact", "done")
    # Whatever comes next comes by key.
    assert json.loads(city.rollout("accept", "--site", SITE, "--json").stdout)["accepted"] is True
