"""What was bought and delivered, held against what is discovered."""

from pathlib import Path

import pytest

from rollout.acceptance import accept, certificate, judge, units
from rollout.acceptance.model import Acceptance, Discovered, Line
from rollout.acceptance.redfish import Told
from rollout.acceptance.units import Unit
from rollout.clock import now
from rollout.errors import ConfigurationError, VerificationError
from rollout.hardware import Link, Redfish, load_models
from rollout.inventory import load
from rollout.paths import Home, content

MODELS = load_models()
UNIT = Unit(serial="SN1", asset="A1", host_key=f"SHA256:{'a' * 43}")


def discovered(**more: object) -> Discovered:
    given: dict[str, object] = {
        "cores": 16,
        "memory_mib": 65_536,
        "disks": {"count": 2, "gib": 600},
        "nics": [{"name": "bond0", "mbps": 2000}, {"name": "eth0", "mbps": 1000}],
        "bonded": True,
        "fsync_p99_ms": 2.5,
        "clock_ms": 1.0,
        "virtual": "none",
        "firmware": {"bios": "1.2", "board": "", "system": ""},
        "serial": "SN1",
    }
    return Discovered.model_validate({**given, **more})


def bad(found: Discovered, model: str = "mini-2010") -> dict[str, str]:
    checks = judge.host("x-a", MODELS[model], UNIT, found)
    return {check.name: check.verdict for check in checks if check.verdict != "passed"}


def test_what_was_bought_is_there() -> None:
    assert bad(discovered()) == {}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"cores": 8}, {"cores": "failed"}),
        ({"memory_mib": 32_000}, {"memory_mib": "failed"}),
        ({"disks": {"count": 1, "gib": 100}}, {"disks": "failed", "disk_gib": "failed"}),
        ({"disks": {"count": None, "gib": 600}}, {"disks": "not_checked"}),
        ({"nics": [{"name": "eth0", "mbps": 100}]}, {"nics": "failed", "nic_mbps": "failed"}),
        ({"bonded": False}, {"bonded": "failed"}),
        ({"fsync_p99_ms": 40.0}, {"fsync_p99_ms": "failed"}),
        ({"clock_ms": None}, {"clock_ms": "not_checked"}),
        ({"serial": "SN2"}, {"serial": "failed"}),
        ({"serial": ""}, {"serial": "not_checked"}),
        ({"virtual": "kvm"}, {"physical": "failed"}),
    ],
)
def test_what_is_missing_is_named(change: dict[str, object], names: dict[str, str]) -> None:
    assert bad(discovered(**change)) == names


def test_a_lab_host_is_asked_for_less() -> None:
    small = discovered(
        cores=2, memory_mib=1000, serial="", virtual="systemd-nspawn", bonded=False, clock_ms=None
    )
    assert bad(small, "lab-mini") == {}


def test_firmware_is_exact() -> None:
    model = MODELS["mini-2010"]
    model = model.model_copy(
        update={"requires": model.requires.model_copy(update={"firmware": {"bios": "1.3"}})}
    )
    (check,) = [one for one in judge.host("x-a", model, UNIT, discovered()) if one.verdict != "passed"]
    assert (check.name, check.wanted, check.found) == ("firmware_bios", "1.3", "1.2")


def test_the_line_to_the_region() -> None:
    wanted = Link(bandwidth_mbps=50, latency_ms=30, loss_percent=0.5)
    good = judge.link("x-s", wanted, Line(loss_percent=0, latency_ms=8, bandwidth_mbps=80))
    assert {check.verdict for check in good} == {"passed"}
    slow = judge.link("x-s", wanted, Line(loss_percent=0, latency_ms=8, bandwidth_mbps=8))
    assert {check.name for check in slow if check.verdict == "failed"} == {"link", "link_mbps"}
    (none,) = judge.link("x-s", wanted, "x-s: no answer")
    assert (none.verdict, none.why) == ("not_checked", "x-s: no answer")


def test_a_host_key_is_the_sheets() -> None:
    assert judge.host_key("x-a", UNIT, UNIT.host_key).verdict == "passed"
    assert judge.host_key("x-a", UNIT, f"SHA256:{'b' * 43}").verdict == "failed"
    assert judge.host_key("x-a", UNIT, "").verdict == "not_checked"


def a_certificate(*, accepted: bool = True) -> Acceptance:
    checks = judge.host("nanning-a", MODELS["mini-2010"], UNIT, discovered(cores=16 if accepted else 1))
    return Acceptance(
        site="nanning",
        title="南宁市",
        taken_at=now(),
        taken_by="root",
        rollout_version="0.1.0",
        accepted=accepted,
        devices=[],
        checks=checks,
    )


def test_it_is_signed_and_read_back(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with pytest.raises(VerificationError, match="not accepted yet"):
        accept.kept(home, "nanning")
    made = a_certificate()
    accept.keep(home, made)
    assert accept.kept(home, "nanning") == made
    file = home.root / "acceptance" / "nanning.json"
    file.write_bytes(file.read_bytes().replace(b"SN1", b"SN9"))
    with pytest.raises(VerificationError):
        accept.kept(home, "nanning")


def test_the_certificate_says_what_failed() -> None:
    page = certificate.render(a_certificate(accepted=False))
    assert "验收不合格" in page
    assert "处理器核数" in page
    assert "at least 16" in page


def test_a_delivery_sheet_is_read_or_named(tmp_path: Path) -> None:
    inventory = load(content() / "inventory" / "guangxi").model_copy(update={"path": str(tmp_path)})
    site = inventory.sites["nanning"]
    with pytest.raises(ConfigurationError, match="no delivery sheet"):
        units.load(inventory, site)
    (tmp_path / "units").mkdir()
    file = tmp_path / "units" / "nanning.yml"
    key = f'host_key: "{UNIT.host_key}"'
    lines = [f"  nanning-{letter}: {{serial: S{letter}, asset: A{letter}, {key}}}" for letter in "abs"]
    file.write_text("\n".join(["delivered: 2010-03-01 by X", "hosts:", *lines]))
    assert units.load(inventory, site)["nanning-s"].serial == "Ss"
    file.write_text("\n".join(["delivered: 2010-03-01 by X", "hosts:", *lines[:2]]))
    with pytest.raises(ConfigurationError, match="nanning-s: in only one"):
        units.load(inventory, site)
    file.write_text("\n".join(["delivered: x", "hosts:", *lines]).replace("SHA256:", "MD5:"))
    with pytest.raises(ConfigurationError, match=r"hosts\.nanning-a\.host_key"):
        units.load(inventory, site)


def test_every_device_of_the_region_is_on_a_delivery_sheet() -> None:
    inventory = load(content() / "inventory" / "guangxi")
    sheets = {name: units.load(inventory, site) for name, site in inventory.sites.items()}
    devices = [unit for sheet in sheets.values() for unit in sheet.values()]
    assert len(devices) == 45
    assert len({unit.serial for unit in devices}) == len({unit.host_key for unit in devices}) == 45
    assert len({unit.bmc.address for unit in devices if unit.bmc}) == 45


def test_the_certificate_has_a_name_for_every_check() -> None:
    told = Told(health="OK", power_supplies=2, fans=2, drives=8, ill=[], firmware={"bmc": "1", "bios": "1"})
    wanted = Redfish(power_supplies=2, fans=2, drives=8, firmware={"bmc": "1", "bios": "1"})
    checks = [
        *judge.controller("nanning-a", wanted, told),
        *judge.controller("nanning-a", wanted, "no management controller"),
    ]
    assert {check.name for check in checks} <= set(certificate.NAMES)
