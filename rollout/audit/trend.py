"""What became of findings over many audits: how many there were each day, and how long each has stood."""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from rollout.audit.findings import AuditReport, HostReport, Kind
from rollout.clock import SHANGHAI


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Day(_Part):
    """One day in China: the last audit of each site on it. ``kinds``: findings by kind, waived ones too."""

    day: date
    audits: int
    hosts: int
    kinds: dict[Kind, int]

    @property
    def open(self) -> int:
        """Findings that no waiver covered."""
        return sum(count for kind, count in self.kinds.items() if kind != "waived")


class Standing(_Part):
    """A finding from the audit that saw it first to the first that looked and did not see it again."""

    site: str
    host: str
    component: str
    kind: Kind
    first_seen: datetime
    last_seen: datetime
    gone_at: datetime | None = None

    def hours(self, now: datetime) -> float:
        """How long it stood, or stands."""
        return ((self.gone_at or now) - self.first_seen).total_seconds() / 3600


class Trend(_Part):
    """Days and findings, oldest first."""

    days: list[Day]
    findings: list[Standing]


def follow(found: Iterable[AuditReport], sites: AbstractSet[str] = frozenset()) -> Trend:
    """The trend of reports, in whatever order they come; of ``sites`` alone, if any are named.

    A host that does not answer says nothing: its other findings neither stand nor are gone by that.
    """
    taken = sorted((_of(sites, report) for report in found), key=lambda report: report.taken_at)
    return Trend(days=_days(taken), findings=_standing(taken))


def _of(sites: AbstractSet[str], report: AuditReport) -> AuditReport:
    if not sites:
        return report
    return report.model_copy(update={"hosts": [host for host in report.hosts if host.site in sites]})


def _days(taken: Sequence[AuditReport]) -> list[Day]:
    newest: dict[date, dict[str, list[HostReport]]] = {}
    audits: Counter[date] = Counter()
    for report in taken:
        day = report.taken_at.astimezone(SHANGHAI).date()
        audits[day] += 1
        sites: dict[str, list[HostReport]] = {}
        for host in report.hosts:
            sites.setdefault(host.site, []).append(host)
        newest.setdefault(day, {}).update(sites)
    return [
        Day(
            day=day,
            audits=audits[day],
            hosts=sum(map(len, sites.values())),
            kinds=dict(
                sorted(
                    Counter(
                        finding.kind
                        for hosts in sites.values()
                        for host in hosts
                        for finding in host.findings
                    ).items()
                )
            ),
        )
        for day, sites in sorted(newest.items())
    ]


def _standing(taken: Sequence[AuditReport]) -> list[Standing]:
    over: list[Standing] = []
    now: dict[tuple[str, str, Kind], Standing] = {}
    for report in taken:
        for host in report.hosts:
            seen = {(host.host, finding.component, finding.kind) for finding in host.findings}
            missing = [key for key in now if key[0] == host.host and key not in seen]
            gone = [key for key in missing if host.reachable or key[2] == "unreachable"]
            over += [now.pop(key).model_copy(update={"gone_at": report.taken_at}) for key in gone]
            for key in sorted(seen):
                first = now[key].first_seen if key in now else report.taken_at
                now[key] = Standing(
                    site=host.site,
                    host=host.host,
                    component=key[1],
                    kind=key[2],
                    first_seen=first,
                    last_seen=report.taken_at,
                )
    return sorted([*over, *now.values()], key=lambda one: (one.first_seen, one.host, one.component))
