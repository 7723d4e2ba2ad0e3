"""What ``rollout audit`` does, step by step."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rollout.audit import audit as audits
from rollout.audit import build, records, reports
from rollout.audit.findings import AuditReport
from rollout.errors import ConfigurationError, Exit
from rollout.inventory import default_path, load, select
from rollout.paths import Home
from rollout.release.sign import fingerprint_of


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    release: str | None
    inventory: Path | None
    sites: list[str]
    deep: bool
    as_json: bool
    html: Path | None
    report: Path | None
    keep: bool = False
    auditor: Path | None = None


def run(request: Request, swarm: audits.Swarm) -> Exit:
    """Audits, writes and shows. Everything that can be refused is refused before a host is asked."""
    home = Home()
    inventory = load(request.inventory or default_path())
    sites = select(inventory, request.sites)
    if request.auditor and not request.auditor.is_file():
        raise ConfigurationError(f"{request.auditor}: no such key")
    for file in (request.html, request.report):
        if file:
            reports.check_writable(file)
    wanted = request.release or build.of_records({one.name: records.read(home, one.name) for one in sites})
    made = audits.audit(
        home,
        inventory,
        sites,
        build.load(home, wanted),
        deep=request.deep,
        swarm=swarm,
        auditor=request.auditor,
    )
    if request.report:
        reports.write_signed(home, made, request.report)
    if request.keep:
        from rollout.audit import history  # noqa: PLC0415 - signing takes a tenth of a second

        history.keep(home, made)
    if request.html:
        from rollout.audit import page  # noqa: PLC0415 - only here anybody waits for the template engine

        reports.write(request.html, page.render(made, {one.name: one.title for one in sites}).encode())
    if request.as_json:
        sys.stdout.write(reports.text(made).decode())
    else:
        _show(made)
    return reports.exit_code(made)


def _show(made: AuditReport) -> None:
    from rich.console import Console  # noqa: PLC0415 - as above

    from rollout.audit import terminal  # noqa: PLC0415

    terminal.show(made, Console())


def verify(file: Path, key: Path | None) -> None:
    """Verifies a report's signature and shows what it attests."""
    from rich.console import Console  # noqa: PLC0415 - as above

    from rollout.audit import terminal  # noqa: PLC0415

    public = key or Home().keys / "report.gpg"
    found = reports.read_verified(file, public)
    console = Console(highlight=False)
    console.print(f"good signature by report key {fingerprint_of(public)}", style="green")
    console.print(f"taken at {found.taken_at.isoformat(sep=' ')}")
    console.print(terminal.verdict(found))
