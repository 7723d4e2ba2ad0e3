"""A control node with no route out, given one file, installs itself and rolls out a city."""

import json
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from rollout.lab import LabHost
from rollout.paths import Home
from rollout.release.sign import Keyring
from tests.lab.city import HOME, City, write_inventory

pytestmark = pytest.mark.long

SITE = "closedcity"
NETWORK = "198.19.3"
INVENTORY = "/root/inventory"
KEY = "/var/lib/rollout/keys/ssh_ed25519"
TRY_TO_LEAVE = "import socket; socket.create_connection(('203.0.113.1', 443), timeout=2)"


@pytest.fixture
def delivered(_possible: None) -> Iterator[City]:
    """A site of its own, as it is delivered; this machine only builds the release."""
    city = City(Home(HOME), write_inventory(HOME / "inventory-closed", SITE, NETWORK), SITE)
    city.rollout("release", "build", "2026.1")
    city.raze()
    city.rollout("lab", "up", "--site", SITE, "-i", str(city.inventory))
    try:
        yield city
    finally:
        city.raze()


def copied(city: City, host: LabHost, file: Path) -> str:
    """The file as it lies on the host, carried over the way a stick would carry it."""
    target = f"/root/{file.name}"
    argv = [
        "ssh",
        "-i",
        city.home.ssh_key,
        "-o",
        f"UserKnownHostsFile={city.home.known_hosts}",
        "-o",
        "BatchMode=yes",
    ]
    with file.open("rb") as stream:
        subprocess.run(
            [*argv, f"rollout@{host.address}", f"sudo tee {target} > /dev/null"],
            stdin=stream,
            check=True,
            timeout=300,
        )
    return target


def test_one_file_makes_a_control_node_that_rolls_out_a_city(delivered: City, tmp_path: Path) -> None:
    city = delivered
    control = city.lab.add_host(city.site, f"{city.site}-control", IPv4Address(f"{NETWORK}.20"))
    # A bare host has no `ip` and no `ping`. 203.0.113.0/24 is nobody's (RFC 5737): no way to even try.
    assert "unreachable" in control.run(["python3", "-c", TRY_TO_LEAVE], check=False).stderr

    bundle = tmp_path / "rollout-2026.1.tar"
    city.rollout("release", "export", "2026.1", str(bundle))
    fingerprint = Keyring(city.home, "release").fingerprint()
    control.run(f"tar xf {copied(city, control, bundle)} -C /root && rm /root/{bundle.name}")
    # What docs/release.md tells a person to do before anything from the file is run.
    by_hand = (
        "gpgv --keyring ./keys/release.gpg SHA256SUMS.asc SHA256SUMS && sha256sum --check --quiet SHA256SUMS"
    )
    control.run(f"cd /root/2026.1-* && {by_hand} && ./install.sh --fingerprint '{fingerprint}'", timeout=300)
    control.run("rm -r /root/2026.1-*")

    # The delivery of the three hosts: they know this control node's key, and it knows theirs.
    control.run(f"ssh-keygen -q -t ed25519 -N '' -f {KEY}")
    key = control.run(f"cat {KEY}.pub").stdout.strip()
    for letter in "abs":
        city.host(letter).run(f"echo '{key}' >> /home/rollout/.ssh/authorized_keys")
    known = [line for line in city.home.known_hosts.read_text().splitlines() if f"{NETWORK}.1" in line]
    control.write_file("/var/lib/rollout/known_hosts", "\n".join(known) + "\n")
    for name in ("hosts.yml", "kinds.yml"):
        control.write_file(f"{INVENTORY}/{name}", (city.inventory / name).read_text())

    rollout = f"export ROLLOUT_INVENTORY={INVENTORY} NO_COLOR=1; rollout"
    control.run(f"{rollout} apply 2026.1 --site {city.site} --yes", timeout=900)
    report = json.loads(control.run(f"{rollout} audit 2026.1 --site {city.site} --json", timeout=120).stdout)
    assert report["uniform"] is True
    assert {h["host"][-1] for h in report["hosts"]} == set("abs")
    authority = control.run(f"cat /var/lib/rollout/secrets/{city.site}/ca.pem").stdout
    city.home.secrets(city.site).joinpath("ca.pem").write_text(authority)
    assert json.loads(city.get("/version", f"{NETWORK}.10")[2])["release"]["name"] == "2026.1"

    # By a timer of its own systemd: the report is kept, and a finding leaves the unit failed.
    said = control.run(f"{rollout} audits schedule --daily 02:00 -i {INVENTORY}").stdout
    assert "02:0" in said.partition("next audit:")[2]
    control.run("systemctl start rollout-audit.service", timeout=180)
    control.run(f"{rollout} audits schedule | grep -q 'uniform'")
    kept = json.loads(control.run(f"{rollout} audits --json").stdout)
    assert [one["open"] for one in kept] == [0, 0]  # the apply's own, and this one
    city.host("b").run("chmod 644 /etc/patroni/config.yml")
    assert control.run("systemctl start rollout-audit.service", check=False, timeout=180).returncode != 0
    control.run(f"{rollout} audits schedule | grep -q 'findings'")
    trend = json.loads(control.run(f"{rollout} audits trend --json").stdout)
    (found,) = trend["findings"]
    assert (found["host"], found["kind"], found["gone_at"]) == (f"{SITE}-b", "modified", None)
    control.run(f"{rollout} audits schedule --off && test ! -e /etc/systemd/system/rollout-audit.timer")
