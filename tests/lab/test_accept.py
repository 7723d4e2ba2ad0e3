"""Bare hosts are accepted by what they are, and refused when the paper says something else."""

import json
from collections.abc import Iterator

import pytest

from rollout.acceptance.measure import fingerprint
from rollout.inventory import load
from rollout.paths import Home
from tests.lab.city import HOME, City, write_inventory

SITE = "acceptcity"


@pytest.fixture
def delivered(_possible: None) -> Iterator[City]:
    """Three hosts as they came, and the delivery sheet that came with them."""
    city = City(Home(HOME), write_inventory(HOME / "inventory-accept", SITE, "198.19.5"), SITE)
    city.rollout("lab", "up", "--site", SITE, "-i", str(city.inventory))
    try:
        sheet(city)
        yield city
    finally:
        city.raze()


def sheet(city: City, **wrong: str) -> None:
    """Writes the sheet; ``wrong``: letter → another fingerprint."""
    lines = ["delivered: today", "hosts:"]
    for letter, host in load(city.inventory).sites[SITE].hosts.items():
        key = wrong.get(letter) or fingerprint(host)
        lines.append(f'  {host.name}: {{serial: S{letter}, asset: A{letter}, host_key: "{key}"}}')
    (city.inventory / "units").mkdir(exist_ok=True)
    (city.inventory / "units" / f"{SITE}.yml").write_text("\n".join(lines) + "\n")


def test_accepted_then_refused_for_another_host_key(delivered: City) -> None:
    paper = HOME / "certificate.pdf"
    found = json.loads(delivered.rollout("accept", "--site", SITE, "--json", "--pdf", str(paper)).stdout)
    assert found["accepted"] is True
    assert {check["name"] for check in found["checks"]} >= {"cores", "memory_mib", "fsync_p99_ms", "host_key"}
    assert paper.read_bytes().startswith(b"%PDF-")
    sheet(delivered, b=f"SHA256:{'x' * 43}")
    refused = json.loads(delivered.rollout("accept", "--site", SITE, "--json", expect=1).stdout)
    (bad,) = [check for check in refused["checks"] if check["verdict"] != "passed"]
    assert (bad["host"], bad["name"]) == (f"{SITE}-b", "host_key")
    delivered.host("s").cut_power()
    silent = delivered.rollout("accept", "--site", SITE, expect=3)
    assert f"{SITE}-s" in silent.stderr
