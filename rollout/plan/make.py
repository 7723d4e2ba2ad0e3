"""Plan = audit + intent: the findings about reality become what apply does."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from rollout import __version__, clock
from rollout.access import authorized
from rollout.apply.journal import opened
from rollout.audit.audit import Seen, Swarm, look
from rollout.audit.build import Build
from rollout.audit.facts import HostFacts
from rollout.audit.findings import HostReport
from rollout.inventory import Inventory, Site
from rollout.paths import Home, content
from rollout.plan import refusals
from rollout.plan.host import host_plan
from rollout.plan.inputs import input_sha256, secrets_digest
from rollout.plan.model import Plan, SitePlan, State, SystemStep
from rollout.plan.systems import contract_migrations, past_return, steps


@dataclass(frozen=True)
class Made:
    """A plan and the audit that it was made from."""

    plan: Plan
    seen: Seen


def make(
    home: Home,
    inventory: Inventory,
    sites: list[Site],
    build: Build,
    *,
    rollback: bool = False,
    swarm: Swarm | None = None,
) -> Made:
    """Audits the sites and plans how each gets to the build. RefusedError names every reason at once."""
    seen = look(home, inventory, sites, build, swarm=swarm)
    known = {site.name: was_touched(home, site) for site in sites}
    systems = {site.name: _systems(site, seen) for site in sites}
    foreign = [p for site in sites for p in refusals.foreign_data(site, seen, known[site.name])]
    older = [p for site in sites for p in refusals.older_release(site, seen, build)]
    older += [p for site in sites for p in refusals.downgrades(systems[site.name])]
    gone = [p for site in sites for p in _gone(site, seen)] if rollback else []
    refusals.refuse(foreign, [] if rollback else older, gone)
    plan = Plan(
        release=build.manifest.release,
        serial=build.manifest.serial,
        manifest_sha256=build.sha256,
        inventory_sha256=inventory.sha256,
        rollback=rollback,
        rollout_version=__version__,
        made_at=clock.now(),
        sites=[
            _site_plan(
                site,
                seen,
                systems[site.name],
                known[site.name],
                input_sha256(
                    build.sha256,
                    site,
                    inventory,
                    content(),
                    secrets_digest(home, site),
                    keys=authorized.lines(home, site.name),
                ),
            )
            for site in sites
        ],
    )
    return Made(plan, seen)


def was_touched(home: Home, site: Site) -> bool:
    """Whether a run of this control node ever began at the site, however it ended."""
    if not home.journal.is_file():
        return False
    with opened(home.journal) as journal:
        return journal.last(site.name) is not None


def findings_sha256(reports: Iterable[HostReport]) -> str:
    """What reality looked like, as one digest."""
    text = "".join(f"{r.host}\n{f.model_dump_json()}\n" for r in reports for f in r.findings)
    return hashlib.sha256(text.encode()).hexdigest()


def _systems(site: Site, seen: Seen) -> list[SystemStep]:
    found = []
    for host in site.hosts.values():
        facts = seen.facts[host.name]
        if isinstance(facts, HostFacts):
            found += steps(seen.expectations[host.name], facts)
    return found


def _gone(site: Site, seen: Seen) -> list[str]:
    """What an older version would miss; both minicomputers say the same, so it is said once."""
    facts = [(host.name, seen.facts[host.name]) for host in site.minicomputers]
    found = [past_return(seen.expectations[n], f) for n, f in facts if isinstance(f, HostFacts)]
    return [f"{site.name}: {reason}" for reason in dict.fromkeys(r for reasons in found for r in reasons)]


def _site_plan(site: Site, seen: Seen, systems: list[SystemStep], known: bool, inputs: str) -> SitePlan:
    reports = [seen.host(host.name) for host in site.hosts.values()]
    state, reasons = _state(site, seen, reports, known, inputs)
    reachable = [report for report in reports if report.reachable]
    return SitePlan(
        site=site.name,
        state=state,
        reasons=reasons,
        systems=systems,
        hosts=[host_plan(report, _versions(seen, report.host)) for report in reachable],
        points_of_no_return=sorted({p for report in reachable for p in _points(seen, report.host)}),
        input_sha256=inputs,
        findings_sha256=findings_sha256(reports),
    )


def _state(
    site: Site, seen: Seen, reports: list[HostReport], known: bool, inputs: str
) -> tuple[State, list[str]]:
    unseen = [f for report in reports for f in report.findings if f.kind == "unreachable"]
    if unseen:
        return "blocked", [f"{finding.component}: {finding.found}" for finding in unseen]
    record = seen.records[site.name]
    if record is None:
        if not known:
            return "new", ["nothing of ours is there yet"]
        return "converge", ["an earlier apply has not come to its end"]
    reasons = []
    manifest = next(iter(seen.expectations.values())).build
    if record.manifest_sha256 != manifest.sha256:
        reasons.append(f"{record.release}-{record.serial} becomes {manifest.manifest.build}")
    elif record.input_sha256 != inputs:
        reasons.append("roles, inventory or secrets changed since the last apply")
    count = sum(finding.kind != "waived" for report in reports for finding in report.findings)
    if count:
        reasons.append(f"{count} findings")
    return ("converge", reasons) if reasons else ("nothing", ["uniform, and nothing to apply has changed"])


def _versions(seen: Seen, host: str) -> dict[str, str]:
    return {name: deb.version for name, deb in seen.expectations[host].packages.items()}


def _points(seen: Seen, host: str) -> list[str]:
    facts = seen.facts[host]
    return contract_migrations(seen.expectations[host], facts) if isinstance(facts, HostFacts) else []
