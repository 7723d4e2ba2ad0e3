"""The audit of sites against a release: sweep, comparison, waivers, report."""

import subprocess
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from rollout import __version__, clock
from rollout.audit import records, sweep, waivers
from rollout.audit.build import Build
from rollout.audit.compare import compare
from rollout.audit.expect import HostExpectation, PackageExpectation, environment, expectation, wanted
from rollout.audit.facts import HostFacts, Unreachable
from rollout.audit.findings import AuditReport, Finding, HostReport
from rollout.audit.running import checked, clock_notes, running
from rollout.audit.waivers import Waivers
from rollout.inventory import Inventory, Site
from rollout.paths import Home
from rollout.record import SiteRecord

Records = dict[str, SiteRecord | None]
Swarm = subprocess.Popen[str]


@dataclass(frozen=True)
class Seen:
    """An audit with what it was made of; the plan reads on in it."""

    report: AuditReport
    records: Records  # by site
    expectations: dict[str, HostExpectation]  # by host
    facts: sweep.Facts  # by host

    def host(self, name: str) -> HostReport:
        """One host's part of the report."""
        return next(host for host in self.report.hosts if host.host == name)


def audit(
    home: Home,
    inventory: Inventory,
    sites: list[Site],
    build: Build,
    *,
    deep: bool = False,
    swarm: Swarm | None = None,
    auditor: Path | None = None,
) -> AuditReport:
    """The report about ``sites``, held against a build. ``swarm`` is one that was spawned ahead.

    ``auditor``: an auditor's private key; its account is used.
    """
    return look(home, inventory, sites, build, deep=deep, swarm=swarm, auditor=auditor).report


def look(
    home: Home,
    inventory: Inventory,
    sites: list[Site],
    build: Build,
    *,
    deep: bool = False,
    swarm: Swarm | None = None,
    auditor: Path | None = None,
) -> Seen:
    """The audit with its facts. Everything that can be refused is refused before a host is connected to."""
    in_force = waivers.load(inventory, waivers.today())
    kept = {site.name: records.read(home, site.name) for site in sites}
    packages = PackageExpectation(build, home, deep=deep)
    pending = _start(home, sites, kept, packages, swarm, auditor=auditor)
    libraries = environment(build, home)  # read while the sweep is under way
    facts = pending.result()
    facts |= _again(home, sites, kept, packages, facts, auditor=auditor)
    hosts = [host for site in sites for host in site.hosts.values()]
    expected = {host.name: expectation(host, packages, libraries, kept[host.site]) for host in hosts}
    reports = [host_report(expected[name], found, in_force) for name, found in facts.items()]
    notes = [*in_force.notes, *clock_notes(facts)]
    return Seen(_report(inventory, build, reports, notes), kept, expected, facts)


def _start(
    home: Home,
    sites: list[Site],
    kept: Records,
    packages: PackageExpectation,
    swarm: Swarm | None = None,
    *,
    auditor: Path | None = None,
) -> Future[sweep.Facts]:
    hosts = [host for site in sites for host in site.hosts.values()]
    questions = [(host, wanted(host, kept[host.site], packages.of(host)[1])) for host in hosts]
    seconds = sweep.DEEP_SECONDS if packages.deep else sweep.TOTAL_SECONDS
    return sweep.start(home, questions, seconds, swarm, auditor)


def _again(
    home: Home,
    sites: list[Site],
    kept: Records,
    packages: PackageExpectation,
    facts: sweep.Facts,
    *,
    auditor: Path | None = None,
) -> sweep.Facts:
    """Sites whose record was found only on their storage device are looked at once more, now knowing it."""
    late = []
    for site in sites:
        if kept[site.name] is None:
            kept[site.name] = records.of_storage(home, site.name, facts[site.storage.name])
            if kept[site.name]:
                late.append(site)
    return _start(home, late, kept, packages, auditor=auditor).result() if late else {}


def _report(inventory: Inventory, build: Build, hosts: list[HostReport], notes: list[str]) -> AuditReport:
    summary = Counter(finding.kind for host in hosts for finding in host.findings)
    return AuditReport(
        release=build.manifest.release,
        serial=build.manifest.serial,
        manifest_sha256=build.sha256,
        inventory_sha256=inventory.sha256,
        rollout_version=__version__,
        taken_at=clock.now(),
        uniform=all(host.reachable for host in hosts) and set(summary) <= {"waived"},
        summary=dict(sorted(summary.items())),
        hosts=hosts,
        notes=notes,
    )


def host_report(expected: HostExpectation, facts: HostFacts | Unreachable, in_force: Waivers) -> HostReport:
    """What is said about one host."""
    host = expected.host
    findings: list[Finding] = in_force.apply(host.name, host.site, compare(expected, facts))
    if isinstance(facts, Unreachable):
        return HostReport(
            host=host.name, site=host.site, reachable=False, checked={}, running={}, findings=findings
        )
    return HostReport(
        host=host.name,
        site=host.site,
        reachable=True,
        checked=checked(expected, facts),
        running=running(expected, facts),
        findings=findings,
    )
