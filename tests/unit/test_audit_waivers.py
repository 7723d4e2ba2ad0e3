"""Waivers: in force they take a finding out of the way, expired they are noted, wrong they are refused."""

from datetime import date
from pathlib import Path

import pytest

from rollout.audit import waivers
from rollout.audit.findings import Finding
from rollout.errors import ConfigurationError
from rollout.inventory import Inventory, Site
from tests.unit import audit_samples as sample

DAY = date(2026, 11, 24)
FINDING = Finding(component="haproxy", kind="behind", expected="2", found="1", action="apply installs it")
ENTRY = """- component: haproxy
  kind: behind
  host: nanning-a
  justification: the vendor's patch is being tested
  approver: 李四
  expires: 2026-12-31
"""


def inventory(folder: Path, text: str | None = None) -> Inventory:
    if text is not None:
        (folder / "waivers").mkdir(exist_ok=True)
        (folder / "waivers" / "2026.yml").write_text(text)
    site = Site.model_validate(
        {
            "name": "nanning",
            "kind": "city",
            "title": "南宁市",
            "division": "450100",
            "network": "198.18.1.0/24",
            "vip": "198.18.1.10",
            "hosts": {letter: sample.host(letter) for letter in ("a", "b", "s")},
        }
    )
    return Inventory(path=str(folder), sha256=sample.sha("inventory"), sites={"nanning": site})


def test_without_waivers_nothing_changes(tmp_path: Path) -> None:
    found = waivers.load(inventory(tmp_path), DAY)
    assert found.apply("nanning-a", "nanning", [FINDING]) == [FINDING]
    assert found.notes == []


def test_in_force_the_finding_is_waived_and_keeps_what_it_is(tmp_path: Path) -> None:
    found = waivers.load(inventory(tmp_path, ENTRY), DAY)
    (waived,) = found.apply("nanning-a", "nanning", [FINDING])
    assert (waived.component, waived.kind) == ("haproxy", "waived")
    assert waived.found == "behind: 1"
    assert "李四" in waived.action
    assert "2026-12-31" in waived.action


@pytest.mark.parametrize("day", [date(2026, 12, 31), date(2027, 1, 1)])
def test_the_last_day_counts_and_the_next_does_not(tmp_path: Path, day: date) -> None:
    found = waivers.load(inventory(tmp_path, ENTRY), day)
    in_force = day <= date(2026, 12, 31)
    assert (found.apply("nanning-a", "nanning", [FINDING])[0].kind == "waived") is in_force
    assert (found.notes == []) is in_force
    if not in_force:
        assert "2026.yml" in found.notes[0]
        assert "haproxy" in found.notes[0]


@pytest.mark.parametrize(
    ("host", "change"),
    [
        ("nanning-b", {}),
        ("nanning-a", {"component": "patroni"}),
        ("nanning-a", {"kind": "ahead"}),
    ],
)
def test_it_covers_nothing_else(tmp_path: Path, host: str, change: dict[str, str]) -> None:
    other = FINDING.model_copy(update=change)
    assert waivers.load(inventory(tmp_path, ENTRY), DAY).apply(host, "nanning", [other]) == [other]


def test_for_a_site_it_covers_all_its_hosts(tmp_path: Path) -> None:
    found = waivers.load(inventory(tmp_path, ENTRY.replace("host: nanning-a", "site: nanning")), DAY)
    for host in ("nanning-a", "nanning-b", "nanning-s"):
        assert found.apply(host, "nanning", [FINDING])[0].kind == "waived"
    assert found.apply("liuzhou-a", "liuzhou", [FINDING])[0].kind == "behind"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("component: x\n", "expected a list"),
        ("- [\n", "not valid YAML"),
        ("- text\n", "[0]"),
        (ENTRY.replace("  approver: 李四\n", ""), "[0].approver"),
        (ENTRY.replace("李四", "''"), "[0].approver"),
        (ENTRY.replace("behind", "broken"), "[0].kind"),
        (ENTRY.replace("behind", "unreachable"), "unreachable cannot be waived"),
        (ENTRY.replace("2026-12-31", "someday"), "[0].expires"),
        (ENTRY.replace("host: nanning-a", "host: wuzhou-a"), "[0].host: the inventory has no host wuzhou-a"),
        (ENTRY.replace("host: nanning-a", "site: wuzhou"), "[0].site: the inventory has no site wuzhou"),
        (ENTRY.replace("  host: nanning-a\n", ""), "either a host or a site"),
        (ENTRY + "  version: 3\n", "[0].version"),
    ],
)
def test_a_wrong_waiver_is_refused_by_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        waivers.load(inventory(tmp_path, text), DAY)
    assert said in str(refused.value)
    assert "2026.yml" in str(refused.value)


def test_all_complaints_come_at_once(tmp_path: Path) -> None:
    text = ENTRY.replace("behind", "broken") + ENTRY.replace("2026-12-31", "someday")
    with pytest.raises(ConfigurationError) as refused:
        waivers.load(inventory(tmp_path, text), DAY)
    assert "[0].kind" in str(refused.value)
    assert "[1].expires" in str(refused.value)
