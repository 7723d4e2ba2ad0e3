"""What ``rollout plan`` does, step by step."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from rollout.audit import build, reports
from rollout.audit.audit import Swarm
from rollout.errors import Exit
from rollout.inventory import default_path, load, select
from rollout.paths import Home
from rollout.plan import approved
from rollout.plan.make import make
from rollout.plan.model import Plan
from rollout.plan.show import show


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    release: str
    inventory: Path | None
    sites: list[str]
    out: Path | None
    as_json: bool
    verbose: bool


def run(request: Request, swarm: Swarm) -> Exit:
    """Plans, writes and shows; changes nothing."""
    home = Home()
    inventory = load(request.inventory or default_path())
    sites = select(inventory, request.sites)
    if request.out:
        reports.check_writable(request.out)
    made = make(home, inventory, sites, build.load(home, request.release), swarm=swarm).plan
    if request.out:
        approved.write(made, request.out)
    if request.as_json:
        sys.stdout.write(made.model_dump_json(indent=1) + "\n")
    else:
        show(made, Console(), verbose=request.verbose)
    return exit_code(made)


def exit_code(made: Plan) -> Exit:
    """0 nothing to do, 3 when a host could not be seen (it beats 1), 1 when changes are planned."""
    if made.blocked:
        return Exit.UNREACHABLE
    return Exit.FINDINGS if made.changing else Exit.OK
