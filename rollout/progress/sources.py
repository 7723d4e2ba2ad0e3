"""What this control node knows of a site: its journal, its signed audits, its acceptance certificates."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from rollout.apply.journal import opened
from rollout.audit import reports
from rollout.audit.findings import AuditReport
from rollout.errors import VerificationError
from rollout.paths import Home
from rollout.progress.facts import Accepted, Applied, Audited, SiteFacts
from rollout.progress.ledger import Ledger
from rollout.release.sign import Keyring, verify

# Looking at a signature takes some hundredths of a second.
_MOST_REPORTS = 500
_CONTACT, _LINK = "host_key", "link"


class _Check(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    verdict: str


class _Certificate(BaseModel):
    """The part of an acceptance that counts here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    site: str
    taken_at: datetime
    accepted: bool
    checks: list[_Check] = []


def gather(home: Home, sites: Sequence[str]) -> dict[str, SiteFacts]:
    """Site → what is known; a report that is not signed by our report key does not count, and is named."""
    doubtful: dict[str, list[str]] = {site: [] for site in sites}
    audits = _audits(home, sites, doubtful)
    entries = Ledger(home).read()
    lost = set(Ledger(home).damaged(entries))
    applied = _applied(home, sites)
    facts = {}
    for site in sites:
        own = [e for e in entries if getattr(e, "site", site) == site]
        known = {e.id for e in own if e.kind == "finding"}
        kept = [e for e in own if not (e.kind == "recheck" and e.id not in known)]
        gone = [e.file for e in kept if e.kind == "statement" and e.file in lost]
        doubtful[site] += [f"attachment {name} is gone or changed" for name in gone]
        facts[site] = SiteFacts(
            site=site,
            applied=applied[site],
            audited=audits[site],
            accepted=_accepted(home, site, doubtful[site]),
            entries=[e for e in kept if not (e.kind == "statement" and e.file in lost)],
            doubtful=doubtful[site],
        )
    return facts


def _applied(home: Home, sites: Sequence[str]) -> dict[str, list[Applied]]:
    found: dict[str, list[Applied]] = {site: [] for site in sites}
    if not home.journal.is_file():
        return found
    with opened(home.journal) as journal:
        for run in reversed(journal.runs(10_000)):
            if run.outcome != "done" or run.ended_at is None:
                continue
            for site in (name for name in run.sites if name in found):
                steps = [step.name for step in journal.steps(run.id, site) if step.outcome == "done"]
                found[site].append(Applied(at=run.ended_at, run=run.id, verb=run.verb, steps=steps))
    return found


def _audits(home: Home, sites: Sequence[str], doubtful: dict[str, list[str]]) -> dict[str, list[Audited]]:
    found: dict[str, list[Audited]] = {site: [] for site in sites}
    for file in sorted(home.reports.glob("*.json"))[-_MOST_REPORTS:]:
        try:
            report = AuditReport.model_validate_json(file.read_bytes())
        except (ValidationError, OSError):
            continue
        concerned = {host.site for host in report.hosts} & set(found)
        if concerned and not _signed(home, file):
            for site in concerned:
                doubtful[site].append(f"{file.name}: not signed by the region's report key")
            continue
        for site in concerned:
            found[site].append(_audited(report, site, file.name))
    for audits in found.values():
        audits.sort(key=lambda audit: audit.at)
    return found


def _audited(report: AuditReport, site: str, name: str) -> Audited:
    hosts = [host for host in report.hosts if host.site == site]
    findings = [finding for host in hosts for finding in host.findings if finding.kind != "waived"]
    return Audited(
        at=report.taken_at,
        report=name,
        uniform=all(host.reachable for host in hosts) and not findings,
        running=sorted({component for host in hosts for component in host.running}),
        wrong=sorted({finding.component.split(" in ")[0] for finding in findings}),
    )


def _accepted(home: Home, site: str, doubtful: list[str]) -> list[Accepted]:
    file = home.root / "acceptance" / f"{site}.json"
    if not file.is_file():
        return []
    if not _signed(home, file):
        doubtful.append(f"{file.name}: the acceptance is not signed by this region's report key")
        return []
    try:
        found = _Certificate.model_validate(json.loads(file.read_bytes()))
    except ValueError:
        doubtful.append(f"{file.name}: the acceptance cannot be read")
        return []
    good = {check.name for check in found.checks if check.verdict == "passed"}
    return [
        Accepted(at=found.taken_at, accepted=found.accepted, contact=_CONTACT in good, link=_LINK in good)
    ]


def _signed(home: Home, file: Path) -> bool:
    try:
        signature = reports.signature_file(file).read_bytes()
        verify(file.read_bytes(), signature, Keyring(home, "report").public_path)
    except (VerificationError, OSError):
        return False
    return True
