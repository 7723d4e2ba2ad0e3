"""Audit and plan on hosts as they are delivered: what is missing, what cannot be seen, what is refused."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollout.paths import Home
from tests.lab.city import HOME, City, write_inventory

pytestmark = pytest.mark.lab

SITE = "auditcity"


@pytest.fixture(scope="module")
def bare(_possible: None) -> Iterator[City]:
    """A site of its own, which nothing is ever deployed to."""
    inventory = write_inventory(HOME / "inventory-audit", SITE, "198.19.2")
    city = City(Home(HOME), inventory, SITE)
    city.rollout("release", "build", "2026.1")
    city.lab.destroy([SITE] if SITE in city.lab.known() else [])
    city.lab.up([SITE])
    try:
        yield city
    finally:
        city.lab.destroy([SITE])


def by_host(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {host["host"].rpartition("-")[2]: host for host in report["hosts"]}


def test_bare_hosts_miss_the_release(bare: City) -> None:
    report = bare.audit(expect=1)
    assert report["uniform"] is False
    assert set(report["summary"]) == {"missing"}
    hosts = by_host(report)
    assert {f["component"] for f in hosts["a"]["findings"]} >= {"haproxy", "postgresql-15", "jincai"}
    assert {f["component"] for f in hosts["s"]["findings"]} >= {"nginx-light", "etcd-server"}
    assert all(host["checked"]["package"] > 100 for host in hosts.values())
    assert hosts["a"]["running"].keys() == {"kernel"}


def test_a_host_without_power_is_one_finding_and_delays_nobody(bare: City) -> None:
    bare.host("b").cut_power()
    try:
        begun = time.monotonic()
        hosts = by_host(bare.audit(expect=3))
        assert time.monotonic() - begun < 20
        assert [f["kind"] for f in hosts["b"]["findings"]] == ["unreachable"]
        assert "power" in hosts["b"]["findings"][0]["action"]
        assert hosts["a"]["reachable"]
        assert hosts["s"]["reachable"]
        said = bare.rollout("plan", "2026.1", expect=3)
        assert "blocked" in said.stdout
        assert f"{SITE}-b" in said.stdout
    finally:
        bare.host("b").start()
        bare.host("b").wait_ssh()


def test_a_host_with_another_key_is_not_believed(bare: City) -> None:
    known = bare.home.known_hosts
    text = known.read_text()
    address = str(bare.host("a").address)
    other = next(line for line in text.splitlines() if str(bare.host("b").address) in line).split()[-1]
    lines = [
        " ".join([*line.split()[:-1], other]) if address in line.split()[0].split(",") else line
        for line in text.splitlines()
    ]
    known.write_text("\n".join(lines) + "\n")
    try:
        finding = by_host(bare.audit(expect=3))["a"]["findings"][0]
        assert finding["found"] == "it shows another SSH host key than the one that is known"
        assert "never accept it unseen" in finding["action"]
    finally:
        known.write_text(text)


def test_a_host_that_refuses_root_is_not_seen(bare: City) -> None:
    host = bare.host("s")
    host.run("mv /etc/sudoers.d/rollout /root/")
    try:
        finding = by_host(bare.audit(expect=3))["s"]["findings"][0]
        assert finding["found"] == "it does not let the control node's user become root"
    finally:
        host.run("mv /root/rollout /etc/sudoers.d/")


def test_what_dpkg_left_half_done_is_found_and_healed(bare: City) -> None:
    host = bare.host("s")
    half = "sed -i '/^Package: sudo$/,/^$/s/ installed$/ half-configured/'"
    host.run(f"cp /var/lib/dpkg/status /root/ && {half} /var/lib/dpkg/status")
    try:
        assert ("s", "sudo", "modified") in bare.findings()
        plan = json.loads(bare.rollout("plan", "2026.1", "--json", expect=1).stdout)
        s = next(host for host in plan["sites"][0]["hosts"] if host["host"] == f"{SITE}-s")
        assert s["heal"] is True
        assert any(package.startswith("sudo=") for package in s["install"])
    finally:
        host.run("mv /root/status /var/lib/dpkg/status")


def test_a_bare_site_is_new_and_everything_is_named(bare: City) -> None:
    said = bare.rollout("plan", "2026.1", "--verbose", expect=1).stdout
    plan = json.loads(bare.rollout("plan", "2026.1", "--json", expect=1).stdout)
    assert plan["sites"][0]["state"] == "new"
    words = said.replace(",", " ").split()
    for host in plan["sites"][0]["hosts"]:
        assert host["install"]
        assert set(host["install"]) <= set(words)


def test_data_that_nobody_knows_are_refused(bare: City) -> None:
    host = bare.host("a")
    host.run("mkdir -p /var/lib/postgresql/15/main && touch /var/lib/postgresql/15/main/PG_VERSION")
    try:
        refused = bare.rollout("plan", "2026.1", expect=2)
        assert f"{SITE}-a: /var/lib/postgresql/15/main holds data" in refused.stderr
    finally:
        host.run("rm -r /var/lib/postgresql")


def test_evidence_stands_on_its_own(bare: City, tmp_path: Path) -> None:
    report, page = tmp_path / "audit.json", tmp_path / "audit.html"
    bare.rollout("audit", "2026.1", "--report", str(report), "--html", str(page), expect=1)
    said = bare.rollout("verify-report", str(report), "--key", str(bare.home.keys / "report.gpg")).stdout
    assert "good signature" in said
    assert "not uniform" in said
    assert "不一致" in page.read_text()
    report.write_text(report.read_text().replace('"uniform": false', '"uniform": true'))
    refused = bare.rollout("verify-report", str(report), expect=2)
    assert "changed after it was signed" in refused.stderr


def test_without_a_record_the_release_must_be_named(bare: City) -> None:
    refused = bare.rollout("audit", expect=2)
    assert "no release was applied yet" in refused.stderr
    assert "2026.1" in refused.stderr


def test_deep_finds_nothing_wrong_with_what_was_delivered(bare: City) -> None:
    """Every file of every package that is already there in the release's version is the depot's."""
    report = bare.audit("--deep", expect=1)
    assert set(report["summary"]) == {"missing"}
    host = bare.host("s")
    host.run("cp -a /usr/bin/env /root/ && printf X >> /usr/bin/env")
    try:
        found = by_host(bare.audit("--deep", expect=1))["s"]["findings"]
        assert [f["component"] for f in found if f["kind"] == "modified"] == ["/usr/bin/env"]
    finally:
        host.run("mv /root/env /usr/bin/env")
