"""Break-glass on a real city: frozen under load, and who is not reached is named."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rollout.errors import UnreachableError
from rollout.glass.fabric_host import FabricHost
from rollout.inventory import load
from rollout.paths import Home
from tests.lab.city import City, write_inventory
from tests.lab.load import lost, payments

pytestmark = pytest.mark.long

WHY = "核查异常支付"


def eventually(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def health(city: City) -> dict[str, object]:
    found: dict[str, object] = json.loads(city.get("/healthz")[2])
    return found


@pytest.fixture
def thawed(city: City) -> Iterator[None]:
    yield
    city.rollout("glass", "thaw", "--reason", "the test has ended", "--yes")


@pytest.mark.usefixtures("thawed")
def test_frozen_under_load_nothing_is_paid_until_it_is_thawed(city: City) -> None:
    def number() -> int:
        return int(city.sql("SELECT count(*) FROM payment.payment"))

    looked = city.rollout("glass", "freeze", "--reason", WHY, "--dry-run")
    assert "payments go on" in looked.stdout
    assert health(city)["frozen"] is False
    with payments(city) as load_:
        eventually(lambda: len(load_.posted) > 20)
        said = city.rollout("glass", "freeze", "--reason", WHY, "--yes")
        at_return = number()
        assert f"frozen through {city.site}-a" in said.stdout
        refused = len(load_.failed)
        eventually(lambda: len(load_.failed) > refused + 20)
        assert number() == at_return
        again = city.rollout("glass", "freeze", "--reason", "another reason", "--yes")
        assert WHY in again.stdout
        assert health(city)["frozen"] is True
        assert WHY in city.rollout("status").stdout
        assert city.get("/version")[0] == 200
        city.rollout("glass", "thaw", "--reason", "已核查", "--yes")
        posted = len(load_.posted)
        eventually(lambda: len(load_.posted) > posted + 20)
    assert {text[:3] for _, text in load_.failed} == {"503"}
    assert all("urn:jincai:problem:frozen" in text and WHY in text for _, text in load_.failed)
    assert lost(city, load_) == set()


def test_whoever_is_not_reached_is_named(city: City, tmp_path: Path) -> None:
    wrong = Home(tmp_path)
    (wrong.keys / "ssh_ed25519").write_bytes(city.home.ssh_key.read_bytes())
    (wrong.keys / "ssh_ed25519").chmod(0o600)
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    blob = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    host = load(city.inventory).sites[city.site].storage
    for known in ("", f"{host.address} {blob}\n"):
        wrong.known_hosts.write_text(known)
        with pytest.raises(UnreachableError, match=f"{city.site}-s"):
            FabricHost(host, wrong).run(["true"])
    assert FabricHost(host, city.home).run(["cat"], b"over fabric") == b"over fabric"
    inventory = write_inventory(tmp_path / "inventory", gone="198.19.254")
    done = city.rollout(*("glass", "freeze", "--reason", WHY, "--dry-run", "-i", str(inventory)), expect=3)
    assert re.search(r"gone .*unreachable", done.stdout)
    assert "payments go on" in done.stdout
