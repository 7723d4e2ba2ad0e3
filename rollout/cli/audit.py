"""``rollout audit`` and ``rollout verify-report``."""

from pathlib import Path
from typing import Annotated

import typer

from rollout.audit import swarm_process
from rollout.cli.options import AsJson, InventoryPath, Sites

Release = Annotated[
    str | None,
    typer.Argument(
        help="2026.1, or 2026.1-3 for one build; the release of the sites' records if none is named."
    ),
]
Deep = Annotated[
    bool, typer.Option("--deep", help="Also compare every file of every package; takes minutes.")
]
Html = Annotated[Path | None, typer.Option("--html", help="Write the report as a page for people.")]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the signed report among those of `rollout audits`.")]
Auditor = Annotated[
    Path | None,
    typer.Option("--as-auditor", metavar="KEY", help="As the hosts' auditor account, with this SSH key."),
]
Report = Annotated[Path | None, typer.Option("--report", help="Write the report and its signature FILE.asc.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("audit")(audit)
    app.command("verify-report")(verify_report)


def audit(
    release: Release = None,
    *,
    inventory: InventoryPath = None,
    site: Sites = None,
    deep: Deep = False,
    as_json: AsJson = False,
    html: Html = None,
    report: Report = None,
    keep: Keep = False,
    as_auditor: Auditor = None,
) -> None:
    """Hold what runs against the release. Exit 0 uniform, 1 findings, 3 a host does not answer."""
    swarm = swarm_process.spawn()
    try:
        # Imported while the swarm imports its own half.
        from rollout.audit.command import Request, run  # noqa: PLC0415

        request = Request(release, inventory, site or [], deep, as_json, html, report, keep, as_auditor)
        code = run(request, swarm)
    finally:
        swarm_process.dismiss(swarm)
    raise typer.Exit(code)


def verify_report(
    file: Annotated[Path, typer.Argument(help="The report; its signature FILE.asc stands beside it.")],
    key: Annotated[
        Path | None,
        typer.Option("--key", help="The report key's public half; this control node's own if none."),
    ] = None,
) -> None:
    """Verify the signature of an audit report and say what it attests."""
    from rollout.audit.command import verify  # noqa: PLC0415 - as above

    verify(file, key)
