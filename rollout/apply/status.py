"""What this control node knows of its sites: releases, runs, audits, leases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from rollout.apply import record
from rollout.apply.journal import Journal, Run
from rollout.apply.lease import LeaseKeeper
from rollout.audit.findings import AuditReport
from rollout.depot.ssh import SshHost
from rollout.errors import ApplyError, UnreachableError, VerificationError
from rollout.glass.look import as_users_do
from rollout.inventory import Site
from rollout.paths import Home


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LastAudit(_Part):
    """The newest report kept here that covers the site."""

    taken_at: datetime
    uniform: bool
    file: str
    findings: int = 0  # that no waiver covers


class SiteStatus(_Part):
    """One site."""

    site: str
    release: str | None  # of its record: what the last apply that ended well left
    serial: int | None
    apply: Run | None
    outcome: str | None  # of the last apply there: done, failed, stopped, killed, running
    step: str | None  # where it stopped, if it did not end well
    audit: LastAudit | None
    held_by: str | None  # "unreachable" if ``s`` does not answer
    frozen: str | None = None  # why payments are frozen there, as the platform says; None if it does not


class Status(_Part):
    """``status --json``."""

    sites: list[SiteStatus]
    unfinished: list[Run]  # killed and not gone on with yet


def look(home: Home, sites: list[Site]) -> Status:
    """Reads the home, and asks every site's ``s`` for its lease."""
    with ThreadPoolExecutor(max(1, len(sites))) as pool:
        holders = list(pool.map(lambda site: _holder(home, site), sites))
        healths = list(pool.map(lambda site: as_users_do(home, site), sites))
    audits = _audits(home)
    with Journal(home.journal) as journal:
        rows = [
            _site(home, journal, site.name, audits.get(site.name), holder).model_copy(
                update={"frozen": health.said() if health and health.freeze else None}
            )
            for site, holder, health in zip(sites, holders, healths, strict=True)
        ]
        unfinished = {run.id: run for site in sites for run in journal.unfinished(site.name)}
    return Status(sites=rows, unfinished=list(unfinished.values()))


def _site(home: Home, journal: Journal, site: str, audit: LastAudit | None, holder: str | None) -> SiteStatus:
    run = journal.last(site)
    steps = journal.steps(run.id, site) if run else []
    outcome, step = None, None
    if run and steps:
        last = steps[-1]
        ended = "done" if last.number == last.of and last.outcome == "done" else run.outcome
        outcome = "running" if run.running else ended or "killed"
        step = None if outcome == "done" else f"{last.number}/{last.of} {last.name}"
    kept = _record(home, site)
    return SiteStatus(
        site=site,
        release=f"{kept[0]}-{kept[1]}" if kept else None,
        serial=kept[1] if kept else None,
        apply=run,
        outcome=outcome,
        step=step,
        audit=audit,
        held_by=holder,
    )


def _record(home: Home, site: str) -> tuple[str, int] | None:
    try:
        found = record.load_record(home, site)
    except VerificationError:
        return None
    return (found.release, found.serial) if found else None


def _holder(home: Home, site: Site) -> str | None:
    try:
        lease = LeaseKeeper(home, site.name, SshHost(site.storage, home)).read()
    except (UnreachableError, ApplyError):
        return "unreachable"
    return lease.holder() if lease else None


def _audits(home: Home) -> dict[str, LastAudit]:
    """The newest report by site among those kept here."""
    newest: dict[str, LastAudit] = {}
    for file in sorted(home.reports.glob("*.json")):
        report = _report(file)
        for site in {host.site for host in report.hosts} if report else ():
            if report and (site not in newest or newest[site].taken_at <= report.taken_at):
                hosts = [host for host in report.hosts if host.site == site]
                wrong = sum(finding.kind != "waived" for host in hosts for finding in host.findings)
                newest[site] = LastAudit(
                    taken_at=report.taken_at,
                    uniform=not wrong and all(host.reachable for host in hosts),
                    file=file.name,
                    findings=wrong,
                )
    return newest


def _report(file: Path) -> AuditReport | None:
    try:
        return AuditReport.model_validate_json(file.read_bytes())
    except ValidationError:
        return None
