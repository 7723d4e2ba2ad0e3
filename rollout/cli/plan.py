"""``rollout plan``."""

from pathlib import Path
from typing import Annotated

import typer

from rollout.audit import swarm_process
from rollout.cli.options import InventoryPath, Sites


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("plan")(plan)


def plan(
    release: Annotated[str, typer.Argument(help="2026.1, or 2026.1-3 for one build.")],
    *,
    inventory: InventoryPath = None,
    site: Sites = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the plan; `apply FILE` then runs exactly it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name everything.")] = False,
) -> None:
    """Show what an apply would change at each site and why. Exit 0 nothing, 1 changes, 3 unreachable."""
    swarm = swarm_process.spawn()
    try:
        # Imported while the swarm imports its own half.
        from rollout.plan.command import Request, run  # noqa: PLC0415

        code = run(Request(release, inventory, site or [], out, as_json, verbose), swarm)
    finally:
        swarm_process.dismiss(swarm)
    raise typer.Exit(code)
