"""Audit reports that this control node keeps: those of applies, and those of ``rollout audit --keep``.

Each stands signed in ``reports/`` of the home, named by its moment and what it covers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from rollout.audit import reports
from rollout.audit.findings import AuditReport
from rollout.errors import ConfigurationError, VerificationError
from rollout.paths import Home

MOST = 5000  # are looked at, at once
_NAMED = 3  # so many sites stand in a file's name; more are counted


@dataclass(frozen=True)
class Kept:
    """One whose signature holds. ``id`` is its file's name without the end."""

    id: str
    report: AuditReport

    @property
    def sites(self) -> list[str]:
        """What it covers."""
        return sorted({host.site for host in self.report.hosts})

    @property
    def open(self) -> int:
        """Findings that no waiver covers."""
        return sum(count for kind, count in self.report.summary.items() if kind != "waived")


@dataclass(frozen=True)
class History:
    """Newest first; ``refused`` says which files are no evidence, and why."""

    kept: list[Kept]
    refused: list[str]


def keep(home: Home, report: AuditReport) -> str:
    """Signs and keeps a report; its id."""
    sites = sorted({host.site for host in report.hosts})
    covered = "-".join(sites) if len(sites) <= _NAMED else f"{len(sites)}sites"
    name = f"{report.taken_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{covered}"
    reports.write_signed(home, report, home.reports / f"{name}.json")
    return name


def newest(home: Home, most: int, sites: Sequence[str] = (), since: datetime | None = None) -> History:
    """The newest ``most`` that cover any of ``sites`` (all, if none is named) and were taken ``since``."""
    refused: list[str] = []

    def fitting() -> Iterator[Kept]:
        for file in sorted(home.reports.glob("*.json"), reverse=True):
            # The name begins with the moment: what is older need not be verified.
            if since and file.name < f"{since.astimezone(UTC):%Y%m%dT%H%M%SZ}":
                return
            try:
                one = Kept(file.stem, reports.read_verified(file, home.keys / "report.gpg"))
            except VerificationError as error:
                refused.append(error.message)
                continue
            if not sites or set(sites) & set(one.sites):
                yield one

    return History(list(islice(fitting(), most)), refused)


def file_of(home: Home, name: str) -> Path:
    """The file of a kept report; ConfigurationError if there is none of that id."""
    known = {file.stem: file for file in home.reports.glob("*.json")}
    if name not in known:
        raise ConfigurationError(f"no kept audit {name}", "`rollout audits` lists them.")
    return known[name]
