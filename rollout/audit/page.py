"""The report as one page for people: Chinese and English, nothing loaded from anywhere, printable."""

from collections.abc import Iterable, Mapping

from rollout import pages
from rollout.audit import reports
from rollout.audit.chinese import KINDS, say
from rollout.audit.findings import AuditReport, Finding, HostReport

CHECKED = {
    "package": ("软件包", "packages"),
    "packaged_file": ("软件包文件", "files of packages"),
    "dist": ("Python 组件", "Python dists"),
    "python_file": ("Python 文件", "Python files"),
    "managed_file": ("受管文件", "managed files"),
    "service": ("服务", "services"),
    "process": ("进程", "processes"),
}


def render(report: AuditReport, titles: Mapping[str, str]) -> str:
    """The page; ``titles`` gives each site's name as people write it."""
    sites: dict[str, list[HostReport]] = {}
    for host in report.hosts:
        sites.setdefault(host.site, []).append(host)
    return (
        pages.environment()
        .get_template("audit.html.j2")
        .render(
            report=report,
            report_sha256=reports.sha256(report),
            titles=titles,
            sites=sites,
            totals={kind: _total(report.hosts, kind) for kind in CHECKED},
            reachable=sum(host.reachable for host in report.hosts),
            open_findings=sum(count for kind, count in report.summary.items() if kind != "waived"),
            kinds=KINDS,
            checked=CHECKED,
            say=say,
            components=components,
            grouped=grouped,
        )
    )


def grouped(hosts: Iterable[HostReport]) -> dict[Finding, list[str]]:
    """Each finding once, with the hosts that have it."""
    places: dict[Finding, list[str]] = {}
    for host in hosts:
        for finding in host.findings:
            places.setdefault(finding, []).append(host.host)
    return places


def components(hosts: Iterable[HostReport]) -> list[str]:
    """Everything that runs on any of the hosts, our own first."""
    names = {name for host in hosts for name in host.running}
    return sorted(names, key=lambda name: (name != "release", not name.startswith("jincai"), name))


def _total(hosts: Iterable[HostReport], kind: str) -> int:
    return sum(host.checked.get(kind, 0) for host in hosts)
