"""The report on a terminal: a line per host, then the findings that belong together, then the verdict."""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rollout.audit.findings import AuditReport, Finding, HostReport
from rollout.audit.versions import upstream
from rollout.tables import plain

STYLES = {
    "behind": "yellow",
    "ahead": "magenta",
    "missing": "red",
    "extra": "cyan",
    "other_edition": "magenta",
    "modified": "red",
    "not_running": "bold red",
    "unreachable": "bold red",
    "waived": "dim",
}
_NAMED = 4  # so many components of a group are named with what was expected and found
_LISTED = 8  # so many more are named at all


def show(report: AuditReport, console: Console) -> None:
    """Prints the whole report."""
    console.print(_hosts(report))
    for note in report.notes:
        console.print(Text(f"note: {note}", style="yellow"))
    groups = list(_groups(report))
    if groups:
        console.print()
    for group in groups:
        console.print(group)
    console.print()
    console.print(verdict(report))


def verdict(report: AuditReport) -> Text:
    """The last line: uniform, or how much is not."""
    what = f"{report.release} serial {report.serial} ({report.manifest_sha256[:12]})"
    hosts = f"{len(report.hosts)} host{'' if len(report.hosts) == 1 else 's'}"
    if report.uniform:
        waived = report.summary.get("waived", 0)
        return Text(
            f"uniform: {hosts} run {what}" + (f", {waived} waived" if waived else ""), style="bold green"
        )
    counts = ", ".join(f"{count} {kind}" for kind, count in report.summary.items())
    return Text(f"not uniform: {counts} on {hosts}, held against {what}", style="bold red")


def _hosts(report: AuditReport) -> Table:
    columns = ("site", "host", "answers", "packages", "files", "services", "runs", "findings")
    table = plain(*columns, numbers=("packages", "files", "services", "findings"))
    site = ""
    for host in report.hosts:
        table.add_row(host.site if host.site != site else "", *_row(host))
        site = host.site
    return table


def _row(host: HostReport) -> list[RenderableType]:
    open_findings = [finding for finding in host.findings if finding.kind != "waived"]
    count = Text(str(len(open_findings)), style="red") if open_findings else Text("–", style="green")
    if not host.reachable:
        return [host.host, Text("no", style="bold red"), "", "", "", "", count]
    files = sum(host.checked.get(kind, 0) for kind in ("managed_file", "python_file", "packaged_file"))
    return [
        host.host,
        Text("yes", style="green"),
        str(host.checked.get("package", 0)),
        str(files),
        str(host.checked.get("service", 0)),
        _runs(host.running),
        count,
    ]


def _runs(running: dict[str, str]) -> str:
    """The platform and the programs, in one line; the JSON and the page have every system."""
    systems = sum(name.startswith("jincai-") for name in running)
    shown = [f"jincai {running['jincai']} + {systems} systems"] if "jincai" in running else []
    programs = ("postgresql", "patroni", "etcd", "haproxy")
    return ", ".join(shown + [f"{name} {upstream(running[name])}" for name in programs if name in running])


def _groups(report: AuditReport) -> Iterable[RenderableType]:
    """Findings of one kind with one remedy on the same hosts, together."""
    places: dict[Finding, list[str]] = {}
    for host in report.hosts:
        for finding in host.findings:
            places.setdefault(finding, []).append(host.host)
    groups: dict[tuple[str, str, tuple[str, ...]], list[Finding]] = {}
    for finding, names in places.items():
        groups.setdefault((finding.kind, finding.action, tuple(names)), []).append(finding)
    for (kind, action, hosts), findings in groups.items():
        yield _group(kind, action, hosts, findings)


def _group(kind: str, action: str, hosts: tuple[str, ...], findings: list[Finding]) -> RenderableType:
    where = ", ".join(hosts) if len(hosts) <= 6 else f"{', '.join(hosts[:5])} and {len(hosts) - 5} more"
    head = Text.assemble((kind, STYLES.get(kind, "red")), (f" on {where}", "bold"))
    lines: list[RenderableType] = [head]
    if len(findings) <= _NAMED:
        lines += [Padding(_one(finding), (0, 0, 0, 2)) for finding in findings]
    else:
        names = [finding.component for finding in findings]
        rest = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        lines.append(Padding(f"{len(names)}: {', '.join(names[:_LISTED])}{rest}", (0, 0, 0, 2)))
    lines.append(Padding(Text(f"→ {action}", style="dim"), (0, 0, 0, 2)))
    return Group(*lines)


def _one(finding: Finding) -> Text:
    if finding.kind == "unreachable":
        return Text(finding.found)
    return Text.assemble((finding.component, "bold"), f": expected {finding.expected}, found {finding.found}")
